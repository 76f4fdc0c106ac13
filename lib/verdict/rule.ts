import { hasHighAvailability } from '../job/high-availability.ts';
import type { DecisionInput, Verdict } from './verdict.ts';
import { cancelOf } from '../run/stop-request.ts';

/** When a rule looks at all: where its condition does not hold, it has no verdict. */
export interface Condition<Input = DecisionInput> {
  /** Completes the sentence "looks only …". */
  readonly text: string;
  readonly holds: (input: Input) => boolean;
}

/** One row of a table of rules. Pure: the same input has the same answers. */
export interface Rule<Input = DecisionInput> {
  /** Kebab-case, unique in its table; the same name in two tables means the same. It stands in records and logs. */
  readonly name: string;
  /** One line: what has to be so, and what the verdict is then. */
  readonly description: string;
  /** Default: it always looks. */
  readonly when?: Condition<Input>;
  /** One sentence of the facts that the rule looked at, whether it has a verdict or not. */
  readonly facts: (input: Input) => string;
  /** `undefined`: the rule does not hold, and the next one is asked. */
  readonly judge: (input: Input) => Verdict | undefined;
}

export const WITH_HIGH_AVAILABILITY: Condition = {
  text: 'with high availability',
  holds: ({ record }) => hasHighAvailability(record.job.options),
};

export const WITHOUT_HIGH_AVAILABILITY: Condition = {
  text: 'without high availability',
  holds: (input) => !WITH_HIGH_AVAILABILITY.holds(input),
};

export const BEFORE_RUNNING: Condition = {
  text: 'before the job was seen to run',
  holds: ({ attempt }) => attempt.runningAt === undefined,
};

export const ONCE_RUNNING: Condition = {
  text: 'once the job was seen to run',
  holds: (input) => !BEFORE_RUNNING.holds(input),
};

export const CANCEL_REQUESTED: Condition = {
  text: 'when the run was asked to stop',
  holds: ({ record }) => cancelOf(record) !== undefined,
};
