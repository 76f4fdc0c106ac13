import type { FinishedCluster } from '../../flink/finished.ts';
import { FLINK } from '../../flink/options/flink.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { amountsOfPod, sum, times, type Amounts } from './amounts.ts';

export interface ClusterNeed {
  /** The JobManagers and all TaskManagers that the job's parallelism takes. */
  readonly whole: Amounts;
  /** With less than this the job cannot run at all. */
  readonly least: Amounts;
}

/**
 * As far as Flink's options tell it: what the program sets by itself is not known before it runs.
 * A batch job and one with the adaptive scheduler run with fewer slots than they ask for.
 */
export function clusterNeed(finished: FinishedCluster, kind: ResolvedJob['kind']): ClusterNeed {
  const { configuration, slots, cluster, jobManager, taskManager } = finished;
  const parallelism = configuration.getOptional(FLINK.parallelism) ?? 1;
  const taskManagers = finished.taskManagers ?? Math.max(1, Math.ceil(parallelism / Math.max(1, slots)));
  const jobManagers = cluster.deployment.spec?.replicas ?? 1;
  const adapts =
    kind === 'batch' || configuration.get(FLINK.scheduler).toLowerCase() === 'adaptive' || isReactive(finished);
  const withTaskManagers = (count: number): Amounts =>
    sum([times(jobManagers, amountsOfPod(jobManager.spec)), times(count, amountsOfPod(taskManager.spec))]);
  return { whole: withTaskManagers(taskManagers), least: withTaskManagers(adapts ? 1 : taskManagers) };
}

function isReactive({ configuration }: FinishedCluster): boolean {
  return configuration.getOptional(FLINK.schedulerMode)?.toLowerCase() === 'reactive';
}
