import type { Run, Spec } from '../cluster/support/dispatcher.ts';
import { ENDLESS, WORD_COUNT } from '../cluster/support/jobs.ts';
import { kubectl, killPod } from '../cluster/support/lab.ts';
import { SCENARIOS } from '../cluster/support/scenarios.ts';

/** One failure: how it is made, and when its cause was there. */
export interface VerdictCase {
  readonly name: string;
  readonly spec: Spec;
  readonly pods?: number;
  /**
   * Waits for what has to be there, causes the failure, and answers when it did, in milliseconds since the epoch. Absent:
   * the cluster's creation is the cause.
   */
  readonly cause?: (run: Run) => Promise<number>;
}

const STARTED = 240;

const { jarURI } = WORD_COUNT['job'] as { readonly jarURI: string };

async function afterStart(run: Run, act: () => Promise<unknown>): Promise<number> {
  await run.event('started', STARTED);
  const at = Date.now();
  await act();
  return at;
}

export const CASES: readonly VerdictCase[] = [
  ...SCENARIOS,
  {
    name: 'job-failed',
    spec: { job: { jarURI, args: ['--input', '/no/such/file'] } },
    // Flink's own time of the job's end.
    cause: async (run) => (await run.until(({ outcome }) => outcome !== undefined, STARTED)).outcome?.at ?? 0,
  },
  { name: 'jobmanager-killed', spec: ENDLESS, cause: (run) => afterStart(run, () => killPod(run.ref, 'jobmanager')) },
  { name: 'taskmanager-killed', spec: ENDLESS, cause: (run) => afterStart(run, () => killPod(run.ref, 'taskmanager')) },
  {
    name: 'cluster-deleted',
    spec: ENDLESS,
    cause: (run) =>
      afterStart(run, () =>
        kubectl('delete', 'deployment', run.ref.clusterId, '-n', run.ref.namespace, '--wait=false'),
      ),
  },
];
