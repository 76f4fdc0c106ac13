import { Draws } from '../draws.ts';
import type { Mutant } from '../mutants.ts';
import { isSlow } from '../simulation.ts';
import { canceledAsMade, comesWithSweep, monthsGoBy, workloadOf, type Workload } from '../workload.ts';
import { somebodyCopies } from '../world.ts';

const WORLDS = Array.from({ length: 12_000 }, (_, seed) => {
  const draws = new Draws(seed);
  return { seed, draws, workload: workloadOf(draws) };
});

/** Worlds that have what it takes. */
function worldsWith(has: (draws: Draws, workload: Workload) => boolean): readonly number[] {
  return WORLDS.filter(({ draws, workload }) => has(draws, workload)).map(({ seed }) => seed);
}

/** Two functions are at one launch, or a JobManager starts between a look and what it leads to. */
const CANCELED = worldsWith((draws, { wishes }) => wishes.some(({ name }) => canceledAsMade(draws, name)));
const SWEEPS = worldsWith(
  (draws, { wishes }) => isSlow(draws, 's3') && wishes.some(({ name }) => comesWithSweep(draws, name)),
);
const COPIES = worldsWith(
  (draws, { rate }) => rate >= 0.08 && somebodyCopies(draws) && draws.chance('enabled deleted-by-someone', 0.5),
);
const TROUBLE = worldsWith(
  (draws, { rate }) => rate >= 0.08 && isSlow(draws, 'k8s') && draws.chance('enabled jobmanager-killed', 0.5),
);
const MONTHS = worldsWith(monthsGoBy);

/** Guards of an attempt's one start, of what finds a run again, and of what it needs for long. */
export const ATTEMPT_MUTANTS: readonly Mutant[] = [
  {
    name: 'the log before goes with what Kubernetes says after it',
    file: 'lib/dispatch/look/observe.ts',
    guard: 'log !== undefined && worth?.previous === true ? await asOfLog(at, seen) : seen',
    without: 'seen',
    seeds: [612],
  },
  {
    name: 'more memory ends at its limit',
    file: 'lib/run/remedy.ts',
    guard: 'Math.min(process * memory.factor, memory.limit)',
    without: 'process * memory.factor',
  },
  {
    name: 'a job that ran out of memory has another attempt',
    file: 'lib/dispatch/follow.ts',
    guard: 'const larger = isKnown ? withMoreMemory(run, outcome, now) : undefined;',
    without: 'const larger = undefined;',
  },
  {
    name: 'deadlines.start does not count what a scheduling gate takes',
    file: 'lib/run/prepared.ts',
    guard: ' - gatedFor(attempt, now)',
    without: '',
  },
  {
    name: 'a gate that was seen is noted',
    file: 'lib/dispatch/follow.ts',
    guard: 'noteGate(record, observation.kubernetes.pods, now)',
    without: 'record',
  },
  {
    name: 'a permit granted a moment ago is emptied',
    file: 'lib/kubernetes/cluster/start-permit.ts',
    guard: 'if (!(await empty(client, ref))) {',
    without: "if (ref.clusterId === '') {",
    seeds: [5330, ...CANCELED],
  },
  {
    name: 'a seal looks again whether the program has begun',
    file: 'lib/dispatch/follow.ts',
    guard: 'return firstJobManager(again.kubernetes) === undefined ? record : undefined;',
    without: 'return again.at >= 0 ? record : undefined;',
    seeds: [169, ...CANCELED],
  },
  {
    name: 'a marker that is set anew is spared',
    file: 'lib/run/store/s3-markers.ts',
    guard: 'const condition = defined({ IfMatch: version });',
    without: 'const condition = {};',
    seeds: [786, ...SWEEPS],
  },
  {
    name: 'a marker without a record is kept for an hour',
    file: 'lib/dispatch/sweep/sweep-rows.ts',
    guard: 'deps.clock.now() - run.markedAt >= MARKER_AGE',
    without: 'run.markedAt < MARKER_AGE * 1e9',
    seeds: [982, ...SWEEPS],
  },
  {
    name: 'the uid of the Deployment counts',
    file: 'lib/verdict/application-rules.ts',
    guard: ' || deployment.uid !== deploymentUid',
    without: " || deploymentUid === ''",
    seeds: [346, ...COPIES],
  },
  {
    name: 'only the first JobManager is heard',
    file: 'lib/verdict/jobmanager-replacement.ts',
    guard: 'hasHighAvailability(record) || startsSoFar(observation, record) === 1',
    without: 'hasHighAvailability(record) || startsSoFar(observation, record) > 0',
    seeds: [10186, ...TROUBLE],
  },
  {
    name: 'a JobManager that answers late is the one that was looked at',
    file: 'lib/dispatch/look/observe.ts',
    guard: 'isReplaced(asked, since) ? since : kubernetes',
    without: 'isReplaced(asked, since) ? kubernetes : kubernetes',
    seeds: [4301, 11156],
  },
  {
    name: 'the permit is withdrawn after the first start',
    file: 'lib/dispatch/modes/application-mode.ts',
    guard: 'if (hasHighAvailability(job.options)) return run;',
    without: "if (hasHighAvailability(job.options) || job.name !== '') return run;",
  },
  {
    name: 'the jar of a run that goes on is kept',
    file: 'lib/dispatch/keep-jar.ts',
    guard: '    await deps.keepJar(pinned);\n',
    without: '',
    seeds: [11, ...MONTHS],
  },
];
