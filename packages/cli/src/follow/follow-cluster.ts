import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import { SHUTDOWN, STACK_DEPTH } from '../clusters/hold.ts';
import { MAIN_STACK_DEPTH } from '../../../../lib/flink/job-manager.ts';
import { asksForHighAvailability } from '../../../../lib/flink/config/high-availability.ts';
import type { Ending } from './ending.ts';
import { follow } from './follow.ts';
import type { FollowDeps } from './seen.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import type { Io } from '../terminal/io.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { report } from '../terminal/report.ts';

/** A cluster that was just made. */
export type MadeCluster = Pick<FlinkCluster, 'clusterId' | 'namespace' | 'configuration'>;

export interface Following {
  /** The first line of progress. */
  readonly created: string;
  /** What becomes of the cluster. */
  readonly afterwards: (ending: Ending, progress: Progress) => Promise<void>;
}

/** Follows an application to its end, and reports it. Answers the exit code. */
export async function followCluster(
  io: Io,
  parsed: ParsedFlags,
  cluster: MadeCluster,
  kubernetes: Kubernetes,
  { created, afterwards }: Following,
): Promise<number> {
  const progress = createProgress(io);
  progress.note(created);
  const { jobManager } = kubernetes.rest(cluster);
  const { clusters, logs } = kubernetes;
  const { clock, interrupted } = io;
  const deps = { jobManager, clusters, logs, clock, interrupted, progress: progress.say };
  try {
    const ending = await follow(cluster, { ...deps, ...natureOf(cluster) });
    await afterwards(ending, progress);
    progress.end();
    return report(io, parsed, cluster, ending);
  } finally {
    progress.end();
  }
}

/** What its configuration makes of a cluster's end. */
function natureOf(cluster: Pick<FlinkCluster, 'configuration'>) {
  const { configuration } = cluster;
  return {
    highAvailability: hasHighAvailability(cluster),
    stays: /^false$/i.test(String(configuration[SHUTDOWN])),
    showsMain: Number(configuration[STACK_DEPTH]) >= MAIN_STACK_DEPTH,
  } satisfies Partial<FollowDeps>;
}

export function hasHighAvailability({ configuration }: Pick<FlinkCluster, 'configuration'>): boolean {
  return asksForHighAvailability(configuration);
}
