import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { defined } from '../core/defined.ts';
import { isRecord } from '../core/json.ts';
import type { JobResult } from '../flink/job-manager.ts';
import { activeRunSchema } from '../run/record-schema.ts';
import type { DecisionFacts, RuledVerdict } from './decide.ts';
import type { RestFacts } from './observation.ts';
import { observationSchema } from './observation-schema.ts';

/** Evidence of the decision that ended an attempt. */
export const DECISION_FILE = 'decision.json';
/** Evidence of the decision to give an attempt up, whose job had to be stopped first. */
export const ABORT_DECISION_FILE = 'abort-decision.json';

/** What a decision rested on, and what it was. `rule` and `kind` are those of the code that took it. */
export interface DecisionEvidence extends DecisionFacts {
  readonly version: 1;
  readonly rule: string;
  readonly kind: RuledVerdict['kind'];
}

const evidenceSchema = z.object({
  version: z.literal(1),
  rule: z.string(),
  kind: z.enum(['wait', 'failed', 'ended']),
  now: z.number(),
  observation: observationSchema,
  record: activeRunSchema,
}) satisfies z.ZodType<DecisionEvidence>;

/** As it is kept. Answers of REST that no rule reads are in `rest.json`. */
export function decisionEvidence({ observation, record, now }: DecisionFacts, verdict: RuledVerdict): DecisionEvidence {
  const { rest } = observation;
  const short = rest.state === 'answered' ? { ...rest, ...withoutAnswers(rest) } : rest;
  const { rule, kind } = verdict;
  return { version: 1, rule, kind, now, observation: { ...observation, rest: short }, record };
}

type Answered = Extract<RestFacts, { state: 'answered' }>;

function withoutAnswers({ result, results }: Answered): Pick<Answered, 'result' | 'results'> {
  const short = (one: JobResult): JobResult => ({ ...one, answers: {} });
  const all = results && Object.fromEntries(Object.entries(results).map(([id, one]) => [id, short(one)]));
  return defined({ result: result && short(result), results: all });
}

/**
 * Reads what `decisionEvidence` made.
 * @throws DispatchError `Internal` for a later version, or for text that is damaged, naming the field.
 */
export function parseDecisionEvidence(text: string, name: string): DecisionEvidence {
  const value = parseJson(text, name);
  const version = isRecord(value) ? value['version'] : undefined;
  if (typeof version === 'number' && version > 1) {
    const message = `${name} has version ${version}; this flink-dispatch reads version 1: use a newer one`;
    throw new DispatchError('Internal', message, { field: 'version' });
  }
  const parsed = evidenceSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || name;
  throw new DispatchError('Internal', `${name} is damaged: ${field}: ${issue?.message ?? 'invalid'}`, { field });
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DispatchError('Internal', `${name} is no JSON`, { field: name, cause });
  }
}
