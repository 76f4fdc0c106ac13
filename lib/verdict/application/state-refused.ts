import { stateSentence, stateTroubleIn, type StateTrouble } from '../../diagnosis/state-trouble.ts';
import { BEFORE_RUNNING, type Rule } from '../rule.ts';
import { failure, type DecisionInput, type Verdict } from '../verdict.ts';

/** Flink would begin the job anew until its restart strategy gives up, which is never by default. */
export const stateRefused: Rule = {
  name: 'state-refused',
  description:
    'Flink begins the job anew because it cannot take its state: the attempt fails, and no other one would do better',
  when: BEFORE_RUNNING,
  facts(input) {
    const trouble = troubleOf(input);
    return trouble === undefined ? 'Flink tells of no trouble with the state' : stateSentence(trouble);
  },
  judge(input): Verdict | undefined {
    const trouble = troubleOf(input);
    if (trouble === undefined) return undefined;
    return failure(input, trouble.reason, stateSentence(trouble), []);
  },
};

function troubleOf({ observation: { rest } }: DecisionInput): StateTrouble | undefined {
  return rest.state === 'unreachable' ? undefined : stateTroubleIn(rest.trouble?.stackTrace ?? '');
}
