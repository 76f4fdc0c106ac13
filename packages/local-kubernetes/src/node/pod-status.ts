import type { V1Container } from '@kubernetes/client-node';
import { withCondition, type Condition, type ContainerStatus, type Pod, type PodStatus } from '../objects.ts';

export function waitingStatus(container: V1Container, reason: string): ContainerStatus {
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
    lastState: {},
  };
}

function phaseOf(pod: Pod, init: readonly ContainerStatus[], main: readonly ContainerStatus[]): PodStatus['phase'] {
  const restarts = pod.spec.restartPolicy ?? 'Always';
  const initFailed = init.some(({ state }) => state.terminated !== undefined && state.terminated.exitCode !== 0);
  if (initFailed && restarts === 'Never') return 'Failed';
  const begun = main.some(({ state, restartCount }) => state.waiting === undefined || restartCount > 0);
  if (!begun) return 'Pending';
  const ended = main.every(({ state }) => state.terminated !== undefined);
  if (!ended || restarts === 'Always') return 'Running';
  const failed = main.some(({ state }) => state.terminated?.exitCode !== 0);
  if (failed && restarts === 'OnFailure') return 'Running';
  return failed ? 'Failed' : 'Succeeded';
}

function initDone(init: readonly ContainerStatus[]): boolean {
  return init.every(({ state }) => state.terminated?.exitCode === 0);
}

function conditionsOf(old: readonly Condition[] | undefined, status: PodStatus, now: string): Condition[] {
  const init = status.initContainerStatuses ?? [];
  const main = status.containerStatuses ?? [];
  const initialized = initDone(init);
  const ready = status.phase === 'Running' && main.every((container) => container.ready);
  const over = status.phase === 'Succeeded';
  const unready = main.filter((container) => !container.ready).map(({ name }) => name);
  const why = over
    ? { reason: 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const incomplete = init.filter(({ state }) => state.terminated?.exitCode !== 0).map(({ name }) => name);
  const whyInit = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
  let conditions = withCondition(old, { type: 'PodScheduled', status: 'True' }, now);
  conditions = withCondition(
    conditions,
    initialized ? { type: 'Initialized', status: 'True' } : { type: 'Initialized', status: 'False', ...whyInit },
    now,
  );
  for (const type of ['ContainersReady', 'Ready']) {
    const next = ready ? ({ type, status: 'True' } as const) : ({ type, status: 'False', ...why } as const);
    conditions = withCondition(conditions, next, now);
  }
  return conditions;
}

/** A pod's status from those of its containers. */
export function podStatus(
  pod: Pod,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  now: string,
): PodStatus {
  const status: PodStatus = {
    ...pod.status,
    phase: phaseOf(pod, init, main),
    ...(init.length === 0 ? {} : { initContainerStatuses: [...init] }),
    containerStatuses: [...main],
  };
  return { ...status, conditions: conditionsOf(pod.status.conditions, status, now) };
}
