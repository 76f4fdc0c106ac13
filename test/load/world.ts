import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigText } from '../../packages/local-kubernetes/src/kubeconfig.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import type { Progress } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { isRecord } from '../../lib/core/json.ts';
import { SimulatedNode } from '../simulated/node.ts';
import { busyAws, busyKubernetes } from '../simulated/refusals.ts';
import { draw, startThrottle, type Throttle } from '../simulated/throttle.ts';

export interface WorldOptions {
  /** What the namespace's ResourceQuota admits: `{ 'count/deployments.apps': '50' }`. */
  readonly quota: Readonly<Record<string, string>>;
  readonly seed: number;
  /** The largest share of requests that is refused at a time. */
  readonly throttled: number;
  /** Jobs run at least and at most so long, in milliseconds. */
  readonly jobs: readonly [number, number];
  readonly progress: Progress;
}

export interface World {
  readonly stack: Stack;
  readonly node: SimulatedNode;
  /** Past the throttle. */
  readonly kubernetes: KubernetesApi;
  readonly throttles: readonly Throttle[];
  stop(): Promise<void>;
}

/** Functions at once: each is a process here, and a small machine has no use for more. */
const PARAMETERS = { Concurrency: '10', AcceptConcurrency: '2', LogLevel: 'INFO' };
const FUNCTIONS = ['on-message', 'advance-run', 'sweep-runs'];

/**
 * The deployed functions on a local AWS and a local Kubernetes with a quota, each behind a throttle. The API server, its
 * controllers and the quota are those of the demo; the node's JobManagers are simulated, as a thousand JVMs have no place
 * on a small machine.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { seed, throttled: most, quota } = options;
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-load-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const started = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const end of stops.reverse()) await end().catch(() => undefined);
  };
  try {
    const server = started(await startNode(folder, options));
    const kubernetes = createKubernetesApi(await kubeconfigConnection({ text: server.kubeconfig }));
    await admit(kubernetes, quota);
    const busy = started(await startThrottle({ upstream: server.url, seed, most, refuse: busyKubernetes }));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText(busy.url), { mode: 0o600 });
    const choice = { kubeconfig, namespace: 'default' };
    const stack = started(await startStack({ kubernetes: choice, parameters: PARAMETERS, progress: options.progress }));
    const busyCloud = started(await startThrottle({ upstream: stack.aws.url, seed, most, refuse: busyAws() }));
    for (const name of FUNCTIONS) await leadThrough(busyCloud, stack, name);
    return { stack, node: server.node, kubernetes, throttles: [busy, busyCloud], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface SimulatedKubernetes {
  readonly node: SimulatedNode;
  readonly url: string;
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

async function startNode(folder: string, { jobs: [least, most] }: WorldOptions): Promise<SimulatedKubernetes> {
  const nodes: SimulatedNode[] = [];
  const runs = (clusterId: string): number => Math.round(least + draw(clusterId) * (most - least));
  const server = await startKubernetes({
    dataDir: join(folder, 'kubernetes'),
    images: {},
    log: () => undefined,
    capacity: { cpu: '4000', memory: '4000Gi', pods: '10000' },
    node: (services) => {
      const made = new SimulatedNode(services, { starts: 300, stops: 300, runs });
      nodes.push(made);
      return made;
    },
  });
  const [node] = nodes;
  if (node === undefined) throw new Error('Kubernetes made no node');
  return { ...server, node };
}

async function admit(api: KubernetesApi, hard: WorldOptions['quota']): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'room' }, spec: { hard } };
  const { status } = await api.request({ method: 'POST', path: '/api/v1/namespaces/default/resourcequotas', body });
  if (status !== 201) throw new Error(`the quota was not taken: ${status}`);
}

/** Lets a deployed function find AWS behind the throttle, by the variables that a user would set. */
async function leadThrough({ url }: Throttle, { aws, deployment }: Stack, name: string): Promise<void> {
  const configuration = `${aws.url}/2015-03-31/functions/${deployment.stackName}-${name}/configuration`;
  const answer: unknown = await (await fetch(configuration)).json();
  const environment = isRecord(answer) ? answer['Environment'] : undefined;
  const variables = isRecord(environment) ? environment['Variables'] : undefined;
  if (!isRecord(variables)) throw new Error(`${name} has no environment`);
  // The SDK asks the host of a queue's URL, whatever its endpoint.
  const queues = Object.entries(variables).flatMap(([key, value]) =>
    key.endsWith('QUEUE_URL') ? [[key, `${url}${new URL(String(value)).pathname}`]] : [],
  );
  const Variables = { ...variables, ...(Object.fromEntries(queues) as object), AWS_ENDPOINT_URL: url };
  const set = await fetch(configuration, { method: 'PUT', body: JSON.stringify({ Environment: { Variables } }) });
  if (!set.ok) throw new Error(`the environment of ${name} was not taken: ${set.status}`);
}
