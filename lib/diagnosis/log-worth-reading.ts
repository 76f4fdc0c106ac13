import type { Duration, Instant } from '../core/clock.ts';
import { tellsOfTaskManagers } from './flink-log/exceptions.ts';
import { mainContainer } from '../kubernetes/cluster/containers.ts';
import type { KubernetesFacts, PodFacts } from '../kubernetes/cluster/port.ts';

/** Flink asks for TaskManagers within seconds of its start, and logs why it gets none. */
const TASK_MANAGERS_DUE: Duration = 10_000;

export interface LogRef {
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

/**
 * The JobManager's log that may tell what its pods do not: of an incarnation that stopped, or of a JobManager that runs
 * and gets no TaskManager (forbidden, over quota, killed again and again), whose job ended for lack of them, as
 * `rootException` tells, that answers and has no job, or whose main() returned: its log alone tells how. `undefined` while
 * there is no need to read.
 */
export function logWorthReading(
  facts: KubernetesFacts,
  now: Instant,
  said: { readonly rootException?: string; readonly hasNoJob?: boolean; readonly mainReturned?: boolean } = {},
): LogRef | undefined {
  const pod = facts.pods
    .filter(({ component, deleting }) => component === 'jobmanager' && !deleting)
    .sort((a, b) => b.createdAt - a.createdAt)[0];
  const container = mainContainer(pod);
  if (pod === undefined || container === undefined) return undefined;
  const ref = { pod: pod.name, container: container.name };
  if (container.state === 'terminated') return { ...ref, previous: false };
  if (container.restartCount > 0) return { ...ref, previous: true };
  // It may not start again.
  if (container.last !== undefined) return { ...ref, previous: false };
  if (said.mainReturned === true) return { ...ref, previous: false };
  const due = container.startedAt !== undefined && now - container.startedAt >= TASK_MANAGERS_DUE;
  const lacks = due && (lacksTaskManagers(facts.pods) || said.hasNoJob === true);
  return lacks || tellsOfTaskManagers(said.rootException ?? '') !== undefined ? { ...ref, previous: false } : undefined;
}

function lacksTaskManagers(pods: readonly PodFacts[]): boolean {
  return !pods.some(({ component, ready }) => component === 'taskmanager' && ready);
}
