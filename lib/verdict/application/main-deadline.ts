import type { Duration } from '../../core/clock.ts';
import { applicationFact, isMainOverdue, listsApplications, mainLimit, withoutJobSince } from './end.ts';
import { jobsAndAccumulators } from './outcome.ts';
import { deadlineFact, seconds } from '../facts.ts';
import { haveEnded } from '../jobs.ts';
import { ONCE_RUNNING, type Rule } from '../rule.ts';
import { clusterSnapshot, outcomeOf, type DecisionInput, type Verdict } from '../verdict.ts';

/** One lost answer says nothing of main(), which may have ended long ago; where stacks never tell, the deadline holds at last. */
const UNSEEN_PATIENCE: Duration = 10 * 60_000;
/** Frames of main()'s stack that the evidence has room for. */
const FRAMES = 12;

/** What main() does after its jobs is part of the application; one that hangs would keep its cluster for ever. */
export const mainDeadline: Rule = {
  name: 'main-deadline',
  description: 'The jobs of the application have ended, and main() still goes on after deadlines.main: the run fails',
  when: ONCE_RUNNING,
  facts: (input) => `${applicationFact(input)}; ${mainDeadlineFact(input)}`,
  judge: overdueMain,
};

function mainDeadlineFact({ record, attempt, jobs, now }: DecisionInput): string {
  return deadlineFact('deadlines.main', mainLimit(record.job), withoutJobSince(attempt, jobs) ?? now, now);
}

function overdueMain(input: DecisionInput): Verdict | undefined {
  const { attempt, record, jobs, now, observation } = input;
  const { rest } = observation;
  // What is known is as old as the question.
  const asOf = (rest.state === 'answered' ? rest.askedAt : undefined) ?? now;
  if (!haveEnded(jobs) || !isMainOverdue(attempt, jobs, record.job, asOf)) return undefined;
  const main = rest.state === 'answered' ? rest.main : undefined;
  const isListed = rest.state === 'answered' && listsApplications(rest.facts);
  // How it ended is about to be known.
  if (main?.state === 'returned') return undefined;
  if (main === undefined && !isListed && overdueBy(input) < UNSEEN_PATIENCE) return undefined;
  const limit = seconds(mainLimit(record.job));
  const stack = main?.stack;
  const at = stack === undefined ? '' : `, in ${placeOf(stack)}`;
  const message = `main() had not returned ${limit} after its jobs had ended (deadlines.main)${at}`;
  const frames =
    stack
      ?.split('\n')
      .slice(0, FRAMES)
      .map((line) => `main(): ${line.trim()}`) ?? [];
  const outcome = outcomeOf('failed', 'MainDeadlineExceeded', message, now, [...frames, ...clusterSnapshot(input)]);
  return { kind: 'ended', outcome: { ...outcome, ...jobsAndAccumulators(input) } };
}

/** How long it is overdue. */
function overdueBy({ attempt, jobs, record, now }: DecisionInput): Duration {
  return now - (withoutJobSince(attempt, jobs) ?? now) - mainLimit(record.job);
}

/** The innermost frame that is not of Java itself. */
function placeOf(stack: string): string {
  const frames = stack.split('\n').flatMap((line) => /^\s*at (?:[^/\s]*\/)*(\S+)$/.exec(line)?.[1] ?? []);
  return frames.find((frame) => !/^(?:java|jdk|sun)\./.test(frame)) ?? frames[0] ?? 'main()';
}
