import { Draws } from '../draws.ts';
import type { Mutant } from '../mutants.ts';
import { workloadOf } from '../workload.ts';
import { isPreparedIn } from './deployment-wishes.ts';

const DECIDE = 'lib/deployment/decide.ts';
const PREPARE = 'lib/deployment/prepare.ts';
const STEPS = 'lib/deployment/prepare-steps.ts';
const PREPARED = 'lib/run/prepared.ts';
const MODE = 'lib/dispatch/modes/prepared-mode.ts';
const RETRY = 'lib/run/retry.ts';
const NEWEST = 'lib/dispatch/state/newest-state.ts';

/** Worlds in which they matter, of those in which something goes wrong. */
const SEEDS = Array.from({ length: 8_000 }, (_, seed) => seed).filter((seed) => {
  const draws = new Draws(seed);
  return isPreparedIn(draws, 'd1') && workloadOf(draws, 'deployments').rate >= 0.015;
});

type Guard = Omit<Mutant, 'seeds' | 'only'> & { readonly seeds?: readonly number[] };

/** Guards of runs that are made before their turn. */
const GUARDS: readonly Guard[] = [
  {
    name: 'I1 a permit waits for the end of the last job',
    file: STEPS,
    guard: "return run.state === 'closed' || isFenced(run);",
    without: 'return run.outcome !== undefined;',
    seeds: [216],
  },
  {
    name: 'I13 a job is not ended before its state was compared',
    file: PREPARE,
    guard: "if (isToCheck(wanted.plan, checked)) return { kind: 'wait', record, next };",
    without: 'if (isToCheck(wanted.plan, checked)) return done(record);',
  },
  {
    name: 'I13 a program that would lose state is not begun',
    file: PREPARE,
    guard: "if (checked?.result !== 'drops') return done(record);",
    without: 'return done(record);',
  },
  {
    name: 'I13 what is compared is the run that is next now',
    file: STEPS,
    guard: 'known?.runId === next.id ? known : undefined;',
    without: 'known;',
  },
  {
    name: 'I12 an upgrade that prepares nothing says why',
    file: PREPARE,
    guard: 'makeNext(record, at) : done(sayUnprepared(record, at));',
    without: 'makeNext(record, at) : done(record);',
  },
  {
    name: 'I1 high availability may bring a job back',
    file: PREPARE,
    guard: ' || hasHighAvailability(run.job.options)) return false;',
    without: ') return false;',
  },
  {
    name: 'I1 a program that may still be handed over has not ended',
    file: PREPARE,
    guard: 'return !isPrepared(run) || submission?.answeredAt !== undefined;',
    without: 'return true;',
  },
  {
    name: 'I1 a job whose state is not told is gone before the next one begins',
    file: PREPARE,
    guard: 'if (!isStopped || ended === undefined || snapshot === undefined) return false;',
    without: 'if (!isStopped || ended === undefined) return false;',
  },
  {
    name: 'I1 a run without its permit begins nothing',
    file: MODE,
    guard: 'return isHeld(at.run) ? makeReady(noted, observation) : submit(noted, observation);',
    without:
      'return at.run.prepared?.readyAt === undefined ? makeReady(noted, observation) : submit(noted, observation);',
    seeds: [49],
  },
  {
    name: 'I1 a run without its permit has one attempt',
    file: RETRY,
    guard: '  if (isHeld(record)) return end(record, outcome);\n',
    without: '',
    seeds: [47],
  },
  {
    name: 'I2 what a prepared run starts from comes with its permit',
    file: PREPARED,
    guard: 'return updateAttempt(begins, { submission, ...defined({ restoredFrom: startFrom }) });',
    without: 'return updateAttempt(begins, { submission });',
    seeds: [49],
  },
  {
    name: 'I3 a program is handed over with what it starts from',
    file: MODE,
    guard: "...(restoredFrom && { savepointPath: restoredFrom.path, claimMode: 'NO_CLAIM' })",
    without: "...(restoredFrom?.path === '' && { savepointPath: restoredFrom.path, claimMode: 'NO_CLAIM' })",
    seeds: [49],
  },
  {
    name: 'I6 a program that is handed over claims nothing',
    file: MODE,
    guard: "claimMode: 'NO_CLAIM'",
    without: "claimMode: 'CLAIM'",
  },
  {
    name: 'I8 a run that is prepared and not wanted is ended',
    file: PREPARE,
    guard: 'if (!isForAnother(at) || next.generation !== at.wanted.number || next.dropped === true) return drop(',
    without: 'if (next.dropped === true) return drop(',
    seeds: [104],
  },
  {
    name: 'I8 whoever dies before the permit leaves it to the next',
    file: DECIDE,
    guard: '  if (isHeld(run)) return permitting(given, before, now);\n',
    without: '',
    seeds: [2434],
  },
  {
    name: 'I8 a run that is not ready in time is not waited for',
    file: PREPARE,
    guard: "  if (!late) return { kind: 'wait', record, next };\n",
    without: "  if (!late || run.state !== 'closed') return { kind: 'wait', record, next };\n",
  },
  {
    name: 'I11 what is suspended has nothing left of a run that was prepared',
    file: PREPARE,
    guard: 'if (isLast || (another && now < next.until))',
    without: 'if (another && now < next.until)',
    seeds: [1301],
  },
  {
    name: 'I11 what leaves is gone before the deployment rests',
    file: DECIDE,
    guard: '  if (record.leaving !== undefined) return stillLeaving(record, record.leaving, others.leaving, now);\n',
    without: '',
  },
  {
    name: 'I12 a job is ended when the next one is ready',
    file: PREPARE,
    guard: '  if (run.prepared?.readyAt !== undefined) return compared(record, next, at);\n',
    without: '  if (run.prepared?.jarId !== undefined) return done(record);\n',
  },
  {
    name: 'I12 a JobManager that is another one is made ready again',
    file: MODE,
    guard: 'run.prepared?.jarId !== undefined && !isReplaced(attempt, observation.kubernetes);',
    without: 'run.prepared?.jarId !== undefined;',
  },
  {
    name: 'I12 a run that fails while it is prepared leaves the last one alone',
    file: PREPARE,
    guard: 'if (!isForRoom(reason) && record.run?.stop === undefined)',
    without: 'if (!isForRoom(reason) && record.run === undefined)',
  },
  {
    name: 'the state of a run that never had its permit is not looked for',
    file: NEWEST,
    guard: 'isHeld(run) || leftNothing(at)',
    without: 'leftNothing(at)',
  },
];

export const PREPARED_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({
  ...guard,
  only: 'deployments',
  seeds: [...(guard.seeds ?? []), ...SEEDS],
}));
