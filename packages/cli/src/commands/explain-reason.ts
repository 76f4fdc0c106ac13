import { REASON_CLASSES, REASONS, type Reason } from '../../../../lib/core/reasons.ts';
import { nearest } from '../../../../lib/core/nearest.ts';
import { has } from '../command.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { printJson, style, type Io } from '../terminal/io.ts';

/** No option of Flink is written like a reason: `JobFailed`. */
export function isReasonLike(argument: string): boolean {
  return /^[A-Z][A-Za-z]+$/.test(argument);
}

/** Says what a reason of an event, an error or a dead letter means. @throws UsageError for one that there is not. */
export function explainReason(io: Io, parsed: ParsedFlags, name: string): void {
  if (!isReason(name)) {
    const near = nearest(name, Object.keys(REASONS));
    throw new UsageError(
      `There is no reason ${name}; ${near === undefined ? 'docs/reasons.md has all' : `did you mean ${near}?`}`,
    );
  }
  const { class: reasonClass, todo } = REASONS[name];
  if (has(parsed, 'json')) printJson(io, { reason: name, reasonClass, todo });
  else io.out(`${style(io, 'bold', name)}\n${reasonClass}: ${REASON_CLASSES[reasonClass]}\nto do: ${todo}\n`);
}

function isReason(name: string): name is Reason {
  return Object.hasOwn(REASONS, name);
}
