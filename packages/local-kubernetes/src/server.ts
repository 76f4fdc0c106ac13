import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import { Admission, toObject, withServiceAddress } from './admission.ts';
import { handle } from './api/handler.ts';
import { WatchSockets } from './api/web-socket.ts';
import { Deployments } from './controllers/deployments.ts';
import { GarbageCollector } from './controllers/garbage-collector.ts';
import { Namespaces } from './controllers/namespaces.ts';
import { Quotas } from './controllers/quotas.ts';
import { ReplicaSets } from './controllers/replica-sets.ts';
import { EventRecorder } from './events.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { NodePorts } from './node-ports.ts';
import { Addresses } from './node/addresses.ts';
import type { Images } from './node/images.ts';
import { Kubelet, nodeObject } from './node/kubelet.ts';
import { NODE_IP, type BackOff, type Node, type NodeServices } from './node/node-services.ts';
import { toImagePaths } from './node/pod-paths.ts';
import { Reaper } from './node/reaper.ts';
import type { KubeObject } from './objects.ts';
import { NAMESPACES, NODES, PODS, type Resource } from './resources.ts';
import { Store, type Change } from './store.ts';

export interface KubernetesOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** For pods' files; removed by `stop`, or when this process dies. Must be free of spaces for Flink's scripts. */
  readonly dataDir: string;
  /** Image names and the Flink distribution that each stands for; without one: this machine's programs. */
  readonly images: Images;
  readonly log: (line: string) => void;
  /** Milliseconds between restarts and pulls; default as the kubelet: from 10 s to 5 min. */
  readonly backOff?: BackOff;
  /** What the node offers; default: `{ cpu: '64', memory: '256Gi', pods: '200' }`, since processes take what they touch. */
  readonly capacity?: { cpu: string; memory: string; pods: string };
  /** False: all pods share 127.0.0.1 and get ports of their own. Default: only Linux has more loopback addresses. */
  readonly loopbackAliases?: boolean;
  /** What runs the pods; default: a kubelet to which a container is a process. */
  readonly node?: (services: NodeServices) => Node;
}

export interface LocalKubernetes {
  readonly url: string;
  /** YAML. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

interface Part {
  onChange?(change: Change): void;
  stop(): void | Promise<void>;
}

const BACK_OFF: BackOff = { first: 10_000, most: 300_000 };
const CAPACITY = { cpu: '64', memory: '256Gi', pods: '200' };
const FIRST_NODE_PORT = 30_000;
const NODE_PORTS = 2768;

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, NODE_IP, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** Completes pods' paths (Flink reads them in a pod's folder and asks with them for TaskManagers) and Services. */
function preparation(podsFolder: string): (resource: Resource, object: KubeObject) => KubeObject {
  let services = 0;
  let nodePorts = Math.floor(Math.random() * NODE_PORTS);
  return (resource, object) => {
    if (resource === PODS) return toImagePaths(podsFolder, object);
    if (resource === NAMESPACES) {
      const labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels };
      return {
        ...object,
        metadata: { ...object.metadata, labels, finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      };
    }
    return withServiceAddress(object, services++, () => FIRST_NODE_PORT + (nodePorts++ % NODE_PORTS));
  };
}

function addBasics(admission: Admission, capacity: typeof CAPACITY): void {
  for (const name of ['default', 'kube-system']) {
    admission.create(NAMESPACES, toObject(NAMESPACES, 'v1', { metadata: { name } }, undefined));
  }
  admission.create(NODES, toObject(NODES, 'v1', nodeObject(capacity, NODE_IP), undefined));
}

/**
 * Starts a Kubernetes API server for development on 127.0.0.1: objects in memory, the controllers that Flink and the
 * dispatcher rely on, and one node whose pods are processes. It checks no credentials.
 */
export async function startKubernetes(options: KubernetesOptions): Promise<LocalKubernetes> {
  const podsFolder = join(resolve(options.dataDir), 'pods');
  await mkdir(podsFolder, { recursive: true });
  const onError = (error: unknown): void => {
    options.log(`local Kubernetes: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  };
  const store = new Store(() => new Date());
  const admission = new Admission(store, { prepare: preparation(podsFolder) });
  const server = createServer();
  const port = await listen(server, options.port ?? 0);
  const url = `http://${NODE_IP}:${String(port)}`;
  const addresses = new Addresses(port, options.loopbackAliases);
  const reaper = new Reaper(podsFolder);
  const makeNode = options.node ?? ((services) => new Kubelet(services));
  const node = makeNode({
    store,
    events: new EventRecorder(store, 'kubelet'),
    images: options.images,
    addresses,
    reaper,
    podsFolder,
    claimsFolder: join(resolve(options.dataDir), 'claims'),
    backOff: options.backOff ?? BACK_OFF,
    kubeconfig: (namespace) => kubeconfigText(url, namespace),
    onError,
  });
  const sockets = new WatchSockets(store);
  const parts: Part[] = [
    new GarbageCollector(store, onError),
    new Namespaces(store, onError),
    new Quotas(store, onError),
    new Deployments({ store, admission, events: new EventRecorder(store, 'deployment-controller') }, onError),
    new ReplicaSets({ store, admission, events: new EventRecorder(store, 'replicaset-controller') }, onError),
    new NodePorts({ store, addresses }, onError),
    sockets,
    node,
  ];
  for (const part of parts) if (part.onChange !== undefined) store.subscribe(part.onChange.bind(part));
  addBasics(admission, options.capacity ?? CAPACITY);
  const backend = { store, admission, addresses, node, onError };
  server.on('request', (request, response) => void handle(backend, request, response));
  server.on('upgrade', (request, socket, head) => {
    sockets.upgrade(request, socket, head);
  });
  options.log(`local Kubernetes API at ${url}: for development; pods are processes of this machine, not containers`);
  const stop = async (): Promise<void> => {
    for (const part of parts) await part.stop();
    server.closeAllConnections();
    server.close();
    await reaper.stop();
    await rm(podsFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { url, kubeconfig: kubeconfigText(url), stop };
}
