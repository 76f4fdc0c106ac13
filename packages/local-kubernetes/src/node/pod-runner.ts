import type { V1Container } from '@kubernetes/client-node';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { controllerOf, type Pod } from '../objects.ts';
import { PODS } from '../resources.ts';
import { ContainerRunner, type ContainerContext } from './container-runner.ts';
import { overrideConfFile } from './flink-config.ts';
import { FLINK_PORTS, flinkOverrides, isFlink, isJobManager } from './flink-pod.ts';
import { findImage } from './images.ts';
import { NODE_IP, type NodeServices } from './node-services.ts';
import { PodPaths } from './pod-paths.ts';
import { podStatus } from './pod-status.ts';
import { ENTRYPOINT_PATH, FLINK_HOME, layOutImage } from './root.ts';
import { MountError, mountVolumes } from './volumes.ts';

/** One pod: its folder, its init containers one after another, its containers side by side, and its end. */
export class PodRunner {
  readonly #services: NodeServices;
  readonly #abort = new AbortController();
  readonly #paths: PodPaths;
  readonly #init: ContainerRunner[];
  readonly #main: ContainerRunner[];
  #pod: Pod;
  #life: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  constructor(services: NodeServices, pod: Pod) {
    this.#services = services;
    this.#pod = pod;
    this.#paths = new PodPaths(join(services.podsFolder, pod.metadata.uid), imagePaths(pod));
    const context: ContainerContext = {
      services,
      paths: this.#paths,
      pod: () => this.#pod,
      signal: this.#abort.signal,
      publish: () => {
        this.#publish();
      },
    };
    const init = pod.spec.initContainers ?? [];
    const runner = (part: string, waitFor: string) => (container: V1Container) =>
      new ContainerRunner(container, `spec.${part}{${container.name}}`, waitFor, context);
    this.#init = init.map(runner('initContainers', 'PodInitializing'));
    this.#main = pod.spec.containers.map(
      runner('containers', init.length > 0 ? 'PodInitializing' : 'ContainerCreating'),
    );
  }

  start(): void {
    this.#life = this.#run().catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#services.onError(error);
    });
  }

  /** Stops the containers (grace in seconds), removes the folder and, if it still exists, the object. */
  async end(grace: number): Promise<void> {
    this.#ending ??= this.#end(grace);
    if (grace === 0) await this.#stopContainers(0);
    await this.#ending;
  }

  logFile(container: string, previous: boolean): string | undefined {
    const runner = [...this.#init, ...this.#main].find(({ status }) => status.name === container);
    if (runner === undefined) return undefined;
    const attempt = runner.status.restartCount - (previous ? 1 : 0);
    return attempt < 0 ? undefined : this.#paths.log(container, attempt);
  }

  isRunning(container: string): boolean {
    const runner = [...this.#init, ...this.#main].find(({ status }) => status.name === container);
    return runner?.status.state.running !== undefined;
  }

  async #run(): Promise<void> {
    const ports = this.#pod.spec.containers.flatMap(({ ports }) =>
      (ports ?? []).map(({ containerPort }) => containerPort),
    );
    const address = await this.#services.addresses.allocate({
      uid: this.#pod.metadata.uid,
      controller: controllerOf(this.#pod)?.uid,
      ports: [...ports, ...(isFlink(this.#pod) ? FLINK_PORTS : [])],
      shared: isJobManager(this.#pod),
    });
    this.#setAddress(address.ip);
    await this.#layOut();
    await this.#mount();
    const restarts = this.#pod.spec.restartPolicy ?? 'Always';
    for (const container of this.#init) {
      const done = await container.run((code) => code !== 0 && restarts !== 'Never');
      if (!done) return;
    }
    const mayRestart = (code: number): boolean => restarts === 'Always' || (restarts === 'OnFailure' && code !== 0);
    await Promise.all(this.#main.map((container) => container.run(mayRestart)));
  }

  async #end(grace: number): Promise<void> {
    this.#abort.abort();
    await this.#stopContainers(grace);
    await this.#life;
    this.#services.addresses.release(this.#pod.metadata.uid);
    await rm(this.#paths.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    const object = this.#services.store.find(PODS, this.#pod.metadata.namespace, this.#pod.metadata.name);
    if (object?.metadata.uid === this.#pod.metadata.uid) this.#release(object as Pod);
  }

  #release(pod: Pod): void {
    if ((pod.metadata.finalizers ?? []).length === 0) this.#services.store.remove(PODS, pod);
    else this.#services.store.modify(PODS, pod, ({ metadata }) => (metadata.deletionGracePeriodSeconds = 0));
  }

  async #stopContainers(grace: number): Promise<void> {
    await Promise.all([...this.#init, ...this.#main].map((container) => container.stop(grace)));
  }

  async #layOut(): Promise<void> {
    await mkdir(join(this.#paths.root, 'tmp'), { recursive: true });
    await mkdir(join(this.#paths.root, 'dev'));
    const kubeconfig = this.#services.kubeconfig(this.#pod.metadata.namespace ?? 'default');
    await writeFile(join(this.#paths.home, 'kubeconfig'), kubeconfig, { mode: 0o600 });
    const { initContainers = [], containers } = this.#pod.spec;
    const images = [...containers, ...initContainers].map(({ image }) => findImage(this.#services.images, image ?? ''));
    const image = images.find((candidate) => candidate?.flinkHome !== undefined) ?? images[0];
    if (image !== undefined) await layOutImage(this.#paths.root, image);
  }

  /** Mounts the volumes; waits while one of their sources is missing. */
  async #mount(): Promise<void> {
    const { store, events, addresses } = this.#services;
    const rewrite = (file: string, text: string): string => {
      const address = addresses.find(this.#pod.metadata.uid);
      const mapped = this.#paths.map(text);
      if (address === undefined || !isFlink(this.#pod)) return mapped;
      const others = { pods: store.list(PODS, this.#pod.metadata.namespace) as Pod[], addresses };
      return overrideConfFile(file, mapped, flinkOverrides(this.#pod, address, this.#paths, others));
    };
    while (!this.#abort.signal.aborted) {
      try {
        const claims = this.#services.claimsFolder;
        await mountVolumes({ store, pod: this.#pod, paths: this.#paths, claims, rewrite });
        return;
      } catch (error) {
        if (!(error instanceof MountError)) throw error;
        events.record(this.#pod, { type: 'Warning', reason: 'FailedMount', message: error.message });
        await this.#changed();
      }
    }
  }

  /** Until something in the API changes that is no event, at most for two seconds. */
  async #changed(): Promise<void> {
    const once = new AbortController();
    const unsubscribe = this.#services.store.subscribe(({ resource }) => {
      if (resource.plural === 'configmaps' || resource.plural === 'secrets') once.abort();
    });
    await delay(2000, undefined, { signal: AbortSignal.any([once.signal, this.#abort.signal]) }).catch(() => undefined);
    unsubscribe();
  }

  #setAddress(ip: string): void {
    const { store } = this.#services;
    this.#update((draft) => {
      const startTime = store.now();
      draft.status = { ...draft.status, hostIP: NODE_IP, podIP: ip, podIPs: [{ ip }], startTime };
    });
    this.#publish();
  }

  #publish(): void {
    const statuses = (runners: readonly ContainerRunner[]) => runners.map(({ status }) => status);
    this.#update((draft) => {
      draft.status = podStatus(draft, statuses(this.#init), statuses(this.#main), this.#services.store.now());
    });
  }

  #update(change: (draft: Pod) => void): void {
    const next = this.#services.store.modify(PODS, this.#pod, (draft) => {
      change(draft as Pod);
    });
    if (next !== undefined) this.#pod = next as Pod;
  }
}

/** Paths of the image that lead into the pod's folder. */
function imagePaths(pod: Pod): string[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const mounts = containers.flatMap(({ volumeMounts }) =>
    (volumeMounts ?? []).map(({ mountPath }) => mountPath.replace(/(.)\/+$/, '$1')),
  );
  const messages = containers.map(({ terminationMessagePath }) => terminationMessagePath ?? '/dev/termination-log');
  return [FLINK_HOME, ENTRYPOINT_PATH, ...mounts, ...messages];
}
