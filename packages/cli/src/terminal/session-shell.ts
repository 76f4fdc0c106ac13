import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Duration } from '../../../../lib/core/clock.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import type { JobManagerFacts } from '../../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import type { Io } from './io.ts';
import { findNativeCluster } from '../clusters/native-clusters.ts';
import { refuseWhileJobsRun, removeCluster } from '../clusters/removal.ts';
import { UsageError } from '../flags/usage.ts';

const HELP =
  'help - show these commands\nstop - stop the session cluster; stop --force though jobs run\nquit - leave it running\n';
const LOOK: Duration = 1_000;

/**
 * An attached session: takes commands until `stop`, `quit`, the end of the input or an interrupt, and says meanwhile what
 * changes. Answers the exit code: 1 after a `stop` that was refused last.
 */
export async function sessionShell(io: Io, kubernetes: Kubernetes, cluster: ClusterRef): Promise<number> {
  const over = new AbortController();
  io.err(HELP);
  const watching = watch(io, kubernetes, cluster, over.signal);
  try {
    return await takeCommands(io, kubernetes, cluster);
  } finally {
    over.abort();
    await watching;
  }
}

async function takeCommands(io: Io, kubernetes: Kubernetes, cluster: ClusterRef): Promise<number> {
  let code = 0;
  for await (const line of io.input()) {
    const [command = '', ...flags] = line.trim().split(/\s+/);
    if (command === 'quit') return 0;
    if (command === 'stop') {
      if (await stop(io, kubernetes, cluster, flags.includes('--force'))) return 0;
      code = 1;
      continue;
    }
    if (command !== 'help' && command !== '') io.err(`unknown command '${command}'\n`);
    io.err(HELP);
  }
  return code;
}

/** False when it is refused. */
async function stop(io: Io, kubernetes: Kubernetes, cluster: ClusterRef, force: boolean): Promise<boolean> {
  const { namespace, clusterId } = cluster;
  try {
    const standing = await findNativeCluster(kubernetes.api, namespace, clusterId);
    if (standing !== undefined && !force) await refuseWhileJobsRun(kubernetes, standing);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`${error.message}\n`);
    return false;
  }
  await removeCluster(io, kubernetes, cluster);
  io.out(`Session cluster ${clusterId} stopped\n`);
  return true;
}

/** One line on standard error for every change of TaskManagers, slots and jobs. */
async function watch(io: Io, kubernetes: Kubernetes, cluster: ClusterRef, over: AbortSignal): Promise<void> {
  const { jobManager } = kubernetes.rest(cluster);
  const ended = aborted(over);
  let last = '';
  while (!over.aborted && !io.interrupted.aborted) {
    const line = await jobManager.overview().then(situation, silence);
    if (line !== last && !over.aborted) io.err(`${cluster.clusterId}: ${line}\n`);
    last = line;
    await Promise.race([io.clock.sleep(LOOK), ended]);
  }
}

function situation(facts: JobManagerFacts): string {
  const { flinkVersion, taskManagers, slotsTotal, slotsAvailable, jobs } = facts;
  const running = jobs.filter(({ state }) => !isTerminal(state)).length;
  return `Flink ${flinkVersion}, ${taskManagers} TaskManagers, ${slotsTotal} slots, ${slotsAvailable} free, ${running} running jobs`;
}

function silence(error: unknown): string {
  if (isDispatchError(error) && !error.retryable) return error.message;
  return 'the JobManager does not answer';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
