import type { EventRecorder } from '../events.ts';
import { isRecord, withCondition, type KubeObject, type Pod } from '../objects.ts';
import { parseQuantity } from '../quantity.ts';
import { NODES, PODS } from '../resources.ts';
import type { Store } from '../store.ts';

function requested(pod: Pod, resource: 'cpu' | 'memory'): number {
  return pod.spec.containers.reduce(
    (sum, { resources }) => sum + (parseQuantity(resources?.requests?.[resource]) ?? 0),
    0,
  );
}

function isOver(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** Why the node does not take a pod, in the scheduler's words. */
function refusals(store: Store, node: KubeObject, pod: Pod): string[] {
  const status = isRecord(node.status) ? node.status : {};
  const allocatable = isRecord(status['allocatable']) ? status['allocatable'] : {};
  const running = (store.list(PODS) as Pod[]).filter((other) => other.spec.nodeName !== undefined && !isOver(other));
  const short = (['cpu', 'memory'] as const).filter((resource) => {
    const used = running.reduce((sum, other) => sum + requested(other, resource), 0);
    return used + requested(pod, resource) > (parseQuantity(allocatable[resource]) ?? Infinity);
  });
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  const matches = selector.every(([key, value]) => labels[key] === value);
  return [
    ...short.map((resource) => `1 Insufficient ${resource}.`),
    ...(matches ? [] : ["1 node(s) didn't match Pod's node affinity/selector."]),
  ];
}

/** Binds the pod to the node, or says on the pod why not. The bound pod when there is a place. */
export function placePod(store: Store, events: EventRecorder, pod: Pod): Pod | undefined {
  if (pod.spec.nodeName !== undefined) return pod;
  const node = store.list(NODES)[0];
  const why = node === undefined ? ['no nodes available'] : refusals(store, node, pod);
  if (node === undefined || why.length > 0) {
    const message = `0/1 nodes are available: ${why.join(', ')}`;
    events.record(pod, { type: 'Warning', reason: 'FailedScheduling', message });
    store.modify(PODS, pod, (draft) => {
      const { status } = draft as Pod;
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
      draft.status = { ...status, conditions: withCondition(status.conditions, condition, store.now()) };
    });
    return undefined;
  }
  const { namespace = '', name } = pod.metadata;
  const message = `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`;
  events.record(pod, { type: 'Normal', reason: 'Scheduled', message });
  return store.modify(PODS, pod, (draft) => {
    (draft as Pod).spec.nodeName = node.metadata.name;
  }) as Pod | undefined;
}
