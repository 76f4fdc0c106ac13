import fc from 'fast-check';
import type { Fault } from './faults.ts';
import { play, type Plan, type Result } from './world.ts';

/** Worlds at most that are played to make one smaller. */
const MOST_PLAYS = 400;

/**
 * The smallest part of a failing world that still violates the same invariant: fewer wishes, fewer faults. fast-check
 * cuts the lists down; what is drawn does not depend on them, so that all the rest happens as before.
 */
export async function shrink(failing: Result): Promise<Result> {
  const [first] = failing.violations;
  if (first === undefined) return failing;
  const violates = ({ violations }: Result): boolean =>
    violations.some(({ invariant }) => invariant === first.invariant);
  const whole: readonly [readonly string[], readonly Fault[]] = [failing.wishes, failing.faults];
  if (!violates(await play({ seed: failing.seed, faults: failing.faults }))) return failing;
  let plays = 0;
  const property = fc.asyncProperty(subset(whole[0]), subset(whole[1]), async (wishes, faults) => {
    plays += 1;
    if (plays > MOST_PLAYS) return true;
    return !violates(await play({ seed: failing.seed, wishes, faults }));
  });
  const { counterexample } = await fc.check(property, { examples: [[[...whole[0]], [...whole[1]]]], numRuns: 1 });
  const [wishes, faults] = counterexample ?? whole;
  const plan: Plan = { seed: failing.seed, wishes, faults, tells: true };
  return play(plan);
}

function subset<T>(whole: readonly T[]): fc.Arbitrary<T[]> {
  return fc.subarray([...whole]);
}
