import { mainContainer } from '../../../../lib/kubernetes/cluster/containers.ts';
import type { ClusterLogs, ClusterRef, Clusters, KubernetesFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Clock, Instant } from '../../../../lib/core/clock.ts';
import type { ApplicationManager } from '../../../../lib/flink/job-manager.ts';
import type { Ending, JobEnding } from './ending.ts';

const LOG_BYTES = 256 * 1024;

export interface FollowDeps {
  readonly jobManager: ApplicationManager;
  readonly clusters: Pick<Clusters, 'observe'>;
  readonly logs: ClusterLogs;
  readonly clock: Clock;
  readonly interrupted: Pick<AbortSignal, 'aborted'>;
  /** Then another JobManager takes the job on after a crash. */
  readonly highAvailability: boolean;
  /** The JobManager stays when its application has ended: `execution.shutdown-on-application-finish: false`. */
  readonly stays: boolean;
  /** Whether the JobManager's stacks are whole, so that they tell whether main() has returned. */
  readonly showsMain: boolean;
  /** Told on every change: what the user should see. */
  readonly progress: (line: string) => void;
}

/** What was seen of a cluster so far. */
export interface Seen {
  readonly jobs: Map<string, JobEnding>;
  answeredOnce: boolean;
  lastAnswer: Instant;
  lastPods: Instant;
  lastSilence: Instant;
  lastLog: Instant;
  lastLine: string;
  log: string;
  mainReturnedAt?: Instant;
  /** How the application ended, when not all about its jobs is known yet. */
  ended?: { readonly ending: Ending; readonly at: Instant };
}

export function nothingSeen(now: Instant): Seen {
  return {
    jobs: new Map(),
    answeredOnce: false,
    lastAnswer: now,
    lastPods: 0,
    lastSilence: 0,
    lastLog: 0,
    lastLine: '',
    log: '',
  };
}

export function jobsSeen({ jobs }: Seen): readonly JobEnding[] {
  return [...jobs.values()];
}

export function say(deps: FollowDeps, seen: Seen, line: string): void {
  if (line === seen.lastLine) return;
  seen.lastLine = line;
  deps.progress(line);
}

/** Keeps the end of the JobManager's log, that of its last incarnation when `previous`. */
export async function readLog(
  ref: ClusterRef,
  { pods }: KubernetesFacts,
  deps: FollowDeps,
  seen: Seen,
  previous = false,
): Promise<void> {
  const pod = pods.find(({ component }) => component === 'jobmanager');
  const container = mainContainer(pod);
  if (pod === undefined || container === undefined) return;
  const options = { container: container.name, bytes: LOG_BYTES, previous };
  const tail = await deps.logs.tail(ref, pod.name, options).catch(() => undefined);
  if (tail !== undefined && tail.text !== '') seen.log = tail.text;
}
