import type { CoreV1Event, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { ObjectClient } from '../api/client.ts';
import { deploymentFacts, eventFacts, podFacts } from './facts.ts';
import { selectorOf } from '../api/kinds.ts';
import type { ClusterRef, DeploymentFacts, EventFacts, KubernetesFacts, PodFacts } from './port.ts';

/** A cluster whose pods all fail fails for one reason: a few of them tell it. */
const PODS_WITH_EVENTS = 6;
const EVENTS_PER_OBJECT = 100;

/** Two requests side by side for a cluster that is well; those that ask what is wrong follow, side by side again. */
export async function observeCluster(client: ObjectClient, ref: ClusterRef): Promise<KubernetesFacts> {
  const { namespace, clusterId } = ref;
  const [deployment, pods] = await Promise.all([
    client.get<V1Deployment>('Deployment', namespace, clusterId),
    client.list<V1Pod>('Pod', namespace, { labelSelector: selectorOf(ref) }),
  ]);
  const facts: DeploymentFacts = deployment === undefined ? { state: 'absent' } : deploymentFacts(deployment);
  const all = pods.flatMap((pod) => podFacts(pod) ?? []);
  return { deployment: facts, pods: all, events: await eventsOf(client, ref, facts, all) };
}

async function eventsOf(
  client: ObjectClient,
  { namespace, clusterId }: ClusterRef,
  deployment: DeploymentFacts,
  pods: readonly PodFacts[],
): Promise<readonly EventFacts[]> {
  const list = async (fieldSelector: string): Promise<readonly EventFacts[]> =>
    (await client.list<CoreV1Event>('Event', namespace, { fieldSelector, limit: EVENTS_PER_OBJECT })).map(eventFacts);
  const unwell = pods.filter((pod) => !pod.ready).slice(0, PODS_WITH_EVENTS);
  const noPodMade = deployment.state === 'present' && !pods.some((pod) => pod.component === 'jobmanager');
  const lists = await Promise.all([
    ...unwell.map((pod) => list(`involvedObject.uid=${pod.uid}`)),
    // The ReplicaSet's name has a hash that only it knows, and fields cannot be matched by prefix.
    ...(noPodMade ? [list('involvedObject.kind=ReplicaSet,reason=FailedCreate')] : []),
  ]);
  const ours = new Set(unwell.map((pod) => `Pod/${pod.name}`));
  return lists
    .flat()
    .filter(({ object }) => ours.has(object) || object.startsWith(`ReplicaSet/${clusterId}-`))
    .sort((a, b) => a.lastSeen - b.lastSeen);
}
