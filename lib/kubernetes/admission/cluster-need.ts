import type { FlinkCluster } from '../../flink/cluster.ts';
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
  const { configuration, slots, cluster, taskManager } = finished;
  const parallelism = configuration.getOptional(FLINK.parallelism) ?? 1;
  const taskManagers = finished.taskManagers ?? Math.max(1, Math.ceil(parallelism / Math.max(1, slots)));
  const adapts =
    kind === 'batch' || configuration.get(FLINK.scheduler).toLowerCase() === 'adaptive' || isReactive(finished);
  const withTaskManagers = (count: number): Amounts =>
    sum([jobManagersOf(cluster), times(count, amountsOfPod(taskManager.spec))]);
  return { whole: withTaskManagers(taskManagers), least: withTaskManagers(adapts ? 1 : taskManagers) };
}

/** Of a session: its TaskManagers come and go with the jobs of others. */
export function sessionNeed(cluster: FlinkCluster): ClusterNeed {
  const whole = jobManagersOf(cluster);
  return { whole, least: whole };
}

function jobManagersOf({ deployment: { spec } }: FlinkCluster): Amounts {
  return times(spec?.replicas ?? 1, amountsOfPod(spec?.template.spec));
}

function isReactive({ configuration }: FinishedCluster): boolean {
  return configuration.getOptional(FLINK.schedulerMode)?.toLowerCase() === 'reactive';
}
