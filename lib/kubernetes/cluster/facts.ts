import type {
  CoreV1Event,
  V1ContainerState,
  V1ContainerStatus,
  V1Deployment,
  V1Pod,
  V1PodCondition,
  V1PodSpec,
  V1PodStatus,
} from '@kubernetes/client-node';
import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { ownerIn } from './owner-metadata.ts';
import type { ContainerFacts, DeploymentFacts, EventFacts, PodFacts } from './port.ts';

/** The API server's objects, as their JSON is, reduced to what judging a run takes. */
export function deploymentFacts(deployment: V1Deployment): DeploymentFacts {
  const { metadata, spec, status } = deployment;
  return {
    state: 'present',
    uid: metadata?.uid ?? '',
    ...defined({ owner: ownerIn(metadata) }),
    deleting: metadata?.deletionTimestamp !== undefined,
    createdAt: instant(metadata?.creationTimestamp) ?? 0,
    desiredReplicas: spec?.replicas ?? 1,
    conditions: (status?.conditions ?? []).map((condition) => ({
      type: condition.type,
      status: condition.status,
      reason: condition.reason ?? '',
      message: condition.message ?? '',
    })),
  };
}

/** `undefined` for a pod that is neither JobManager nor TaskManager. */
export function podFacts({ metadata = {}, spec, status }: V1Pod): PodFacts | undefined {
  const component = metadata.labels?.['component'];
  if (component !== 'jobmanager' && component !== 'taskmanager') return undefined;
  const conditions = status?.conditions ?? [];
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    component,
    phase: status?.phase ?? 'Unknown',
    ...troubleOf(status),
    ...defined({ node: spec?.nodeName }),
    createdAt: instant(metadata.creationTimestamp) ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ...schedulingOf(conditions),
    ...gatesOf(spec),
    containers: containersOf(spec, status),
  };
}

/** The pod's own reason, or the one for which it is about to be taken away. */
function troubleOf(status: V1PodStatus | undefined): Pick<PodFacts, 'reason' | 'message'> {
  const disruption = status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  return texts(status?.reason ?? disruption?.reason, status?.message ?? disruption?.message);
}

function schedulingOf(conditions: readonly V1PodCondition[]): Pick<PodFacts, 'unschedulable'> {
  const unschedulable = conditions.find(isUnschedulable);
  return unschedulable === undefined ? {} : { unschedulable: unschedulable.message ?? 'no node fits' };
}

function gatesOf(spec: V1PodSpec | undefined): Pick<PodFacts, 'gates'> {
  const names = (spec?.schedulingGates ?? []).map(({ name }) => name);
  return names.length === 0 ? {} : { gates: names.join(', ') };
}

function isUnschedulable({ type, status, reason }: V1PodCondition): boolean {
  return type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable';
}

function containersOf(spec: V1PodSpec | undefined, status: V1PodStatus | undefined): readonly ContainerFacts[] {
  // The status names an image by its digest or another of its tags; the spec has the name that was asked for.
  const images = new Map([...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map((c) => [c.name, c.image]));
  // Of init containers alone: there it makes a sidecar; newer versions give containers policies of other meanings.
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const names = new Set(sidecars.map(({ name }) => name));
  const facts = (init: boolean, statuses: readonly V1ContainerStatus[] = []): readonly ContainerFacts[] =>
    statuses.map((it) => ({
      ...containerFacts(it, images.get(it.name) ?? it.image, init),
      ...(init && names.has(it.name) ? { restartPolicy: 'Always' as const } : {}),
    }));
  return [...facts(true, status?.initContainerStatuses), ...facts(false, status?.containerStatuses)];
}

function containerFacts(status: V1ContainerStatus, image: string, init: boolean): ContainerFacts {
  const { state, details } = stateFacts(status.state);
  const before = status.lastState?.terminated === undefined ? undefined : stateFacts(status.lastState);
  return {
    name: status.name,
    init,
    image,
    ...defined({ imageDigest: digestIn(status.imageID) }),
    ready: status.ready,
    restartCount: status.restartCount,
    state,
    ...details,
    ...(before === undefined ? {} : { last: before.details }),
  };
}

/** `docker.io/library/flink@sha256:…`; without a name before it, it is the id of something of the node's own. */
function digestIn(imageId: string | undefined): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(imageId ?? '')?.[1];
}

type StateDetails = Pick<ContainerFacts, 'reason' | 'message' | 'exitCode' | 'startedAt' | 'finishedAt'>;

function stateFacts(state: V1ContainerState | undefined): {
  readonly state: ContainerFacts['state'];
  readonly details: StateDetails;
} {
  if (state?.terminated !== undefined) {
    const { reason, message, exitCode, startedAt, finishedAt } = state.terminated;
    return { state: 'terminated', details: { ...texts(reason, message), exitCode, ...times(startedAt, finishedAt) } };
  }
  if (state?.running !== undefined) return { state: 'running', details: times(state.running.startedAt, undefined) };
  return { state: 'waiting', details: texts(state?.waiting?.reason, state?.waiting?.message) };
}

function texts(reason: string | undefined, message: string | undefined): Pick<ContainerFacts, 'reason' | 'message'> {
  return defined({ reason, message });
}

function times(started: unknown, finished: unknown): Pick<ContainerFacts, 'startedAt' | 'finishedAt'> {
  const startedAt = instant(started);
  const finishedAt = instant(finished);
  return defined({ startedAt, finishedAt });
}

export function eventFacts(event: CoreV1Event): EventFacts {
  const { involvedObject, series } = event;
  const lastSeen =
    series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  return {
    object: `${involvedObject.kind ?? ''}/${involvedObject.name ?? ''}`,
    type: event.type ?? 'Normal',
    reason: event.reason ?? '',
    message: event.message ?? '',
    count: series?.count ?? event.count ?? 1,
    lastSeen: instant(lastSeen) ?? 0,
  };
}

/** Times are text in JSON, whatever the client's types say. */
function instant(value: unknown): Instant | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
