import fc from 'fast-check';
import { play, type Plan, type Result } from './world.ts';

/** Worlds at most that are played to make one smaller. */
const MOST_PLAYS = 400;

/**
 * The smallest part of a failing world that still violates the same invariant: fewer wishes, fewer faults. fast-check
 * cuts the lists down; what is drawn does not depend on them, so that all the rest happens as before.
 */
export async function shrink(failing: Result, only: Plan['only']): Promise<Result> {
  const [first] = failing.violations;
  if (first === undefined) return failing;
  const violates = ({ violations }: Result): boolean =>
    violations.some(({ invariant }) => invariant === first.invariant);
  if (!violates(await play({ seed: failing.seed, only, faults: failing.faults }))) return failing;
  let plays = 0;
  // The last that fails is the smallest: fast-check goes down from what failed before.
  let smallest = { wishes: failing.wishes, faults: failing.faults };
  const property = fc.asyncProperty(subset(failing.wishes), subset(failing.faults), async (wishes, faults) => {
    plays += 1;
    if (plays > MOST_PLAYS || !violates(await play({ seed: failing.seed, only, wishes, faults }))) return true;
    smallest = { wishes, faults };
    return false;
  });
  await fc.check(property, { examples: [[[...failing.wishes], [...failing.faults]]], numRuns: 1 });
  return play({ seed: failing.seed, only, ...smallest, tells: true });
}

function subset<T>(whole: readonly T[]): fc.Arbitrary<T[]> {
  return fc.subarray([...whole]);
}
