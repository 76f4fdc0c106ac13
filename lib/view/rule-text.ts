import { ABORT_RULES } from '../verdict/abort.ts';
import { APPLICATION_RULES } from '../verdict/application-rules.ts';
import { SESSION_RULES } from '../verdict/session-rules.ts';
import { STOP_RULES } from '../verdict/stop/stop.ts';

const TEXTS = new Map(
  [...SESSION_RULES, ...APPLICATION_RULES, ...ABORT_RULES, ...STOP_RULES].map(
    ({ name, description }) => [name, description] as const,
  ),
);

/** What a rule says; undefined for one that this version does not have. */
export function ruleText(name: string): string | undefined {
  return TEXTS.get(name);
}
