import type { Instant } from '../core/clock.ts';
import type { KubernetesFacts } from '../cluster/port.ts';
import type { JobManagerFacts, JobResult } from '../flink/job-manager.ts';

/** The JobManager's REST endpoint at one instant. `silent` says nothing about the job. */
export type RestFacts =
  | { readonly state: 'answered'; readonly facts: JobManagerFacts; readonly result?: JobResult }
  | { readonly state: 'silent'; readonly error: string };

/** All that one look found out about a run's cluster, without judgement. */
export interface Observation {
  readonly at: Instant;
  readonly kubernetes: KubernetesFacts;
  readonly rest: RestFacts;
  /**
   * The end of the JobManager's log, when it is worth reading: of an incarnation that stopped, or of one that runs and
   * gets no TaskManagers, or has no job.
   */
  readonly jobManagerLog?: { readonly text: string; readonly stopped: boolean };
}
