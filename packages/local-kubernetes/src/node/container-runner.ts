import type { V1Container } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Happening } from '../events.ts';
import type { ContainerState, ContainerStatus, Pod, Terminated } from '../objects.ts';
import { containerEnvironment, ContainerConfigError, expand } from './environment.ts';
import { findImage, imageIdOf, type Image } from './images.ts';
import { ContainerProcess, type Exit } from './container-process.ts';
import type { NodeServices } from './node-services.ts';
import type { PodPaths } from './pod-paths.ts';
import { waitingStatus } from './pod-status.ts';
import { processEnvironment, WORK_FOLDERS } from './process-environment.ts';
import { ENTRYPOINT_PATH } from './root.ts';

const TEN_MINUTES = 600_000;
const LAST_LINES = 80;
const LAST_BYTES = 2048;

export interface ContainerContext {
  readonly services: NodeServices;
  readonly paths: PodPaths;
  readonly pod: () => Pod;
  readonly signal: AbortSignal;
  readonly publish: () => void;
}

/** One container through its life: image, start, end, back-off, start again. */
export class ContainerRunner {
  readonly container: V1Container;
  readonly #context: ContainerContext;
  readonly #path: string;
  #process: ContainerProcess | undefined;
  #startedAt = 0;
  #failures = 0;
  /** How the run before ended, until the next one has begun: only then does a kubelet count a restart. */
  #last: ContainerState | undefined;
  status: ContainerStatus;

  constructor(container: V1Container, path: string, waitFor: string, context: ContainerContext) {
    this.container = container;
    this.#context = context;
    this.#path = path;
    this.status = waitingStatus(container, waitFor);
  }

  /** Runs until the container has ended for good (true: exit code 0) or the pod is stopped. */
  async run(mayRestart: (exitCode: number) => boolean): Promise<boolean> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      const image = await this.#pull();
      if (image === undefined) break;
      const exit = await this.#once(image);
      if (exit === undefined) break;
      if (!mayRestart(exit.code) || signal.aborted) return exit.code === 0;
      await this.#backOff();
    }
    return false;
  }

  async stop(grace: number): Promise<void> {
    if (this.#process === undefined) return;
    if (grace > 0) {
      this.#event({ type: 'Normal', reason: 'Killing', message: `Stopping container ${this.container.name}` });
    }
    await this.#process.stop(grace);
  }

  async #pull(): Promise<Image | undefined> {
    const { services, signal } = this.#context;
    const name = this.container.image ?? '';
    for (let wait = services.backOff.first; !signal.aborted; wait = Math.min(2 * wait, services.backOff.most)) {
      const image = findImage(services.images, name);
      if (image !== undefined) {
        const message = `Container image "${name}" already present on machine`;
        this.#event({ type: 'Normal', reason: 'Pulled', message });
        return image;
      }
      const error = `failed to pull and unpack image "${name}": not found`;
      this.#event({ type: 'Normal', reason: 'Pulling', message: `Pulling image "${name}"` });
      this.#event({ type: 'Warning', reason: 'Failed', message: `Failed to pull image "${name}": ${error}` });
      this.#event({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' });
      this.#waiting('ErrImagePull', error);
      await this.#pause(Math.min(1000, wait));
      this.#event({ type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${name}"` });
      this.#event({ type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' });
      this.#waiting('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${error}`);
      await this.#pause(wait);
    }
    return undefined;
  }

  /** Starts the command and waits for its end. */
  async #once(image: Image): Promise<Exit | undefined> {
    const { services, paths, signal } = this.#context;
    const { name } = this.container;
    for (;;) {
      try {
        const restarts = this.status.restartCount + (this.#last === undefined ? 0 : 1);
        const logFile = paths.log(name, restarts);
        await mkdir(dirname(logFile), { recursive: true });
        await writeFile(paths.at(this.#messagePath()), '');
        if (signal.aborted) return undefined;
        const command = this.#command(image);
        if (this.#last !== undefined) this.status = { ...this.status, lastState: this.#last, restartCount: restarts };
        this.#last = undefined;
        this.#process = new ContainerProcess({ ...command, logFile }, services.reaper);
        break;
      } catch (error) {
        if (!(error instanceof ContainerConfigError)) throw error;
        this.#event({ type: 'Warning', reason: 'Failed', message: `Error: ${error.message}` });
        if (this.#last !== undefined) this.status = { ...this.status, lastState: this.#last };
        this.#waiting('CreateContainerConfigError', error.message);
        await this.#pause(Math.min(2000, services.backOff.first));
        if (signal.aborted) return undefined;
      }
    }
    this.#started();
    const exit = await this.#process.exit;
    await this.#ended(exit);
    return exit;
  }

  #command(image: Image): { command: string[]; environment: Record<string, string>; folder: string } {
    const { services, paths } = this.#context;
    const pod = this.#context.pod();
    const { command, args, workingDir } = this.container;
    const own = containerEnvironment(services.store, pod, this.container);
    const entry = command ?? (image.flinkHome === undefined ? [] : [ENTRYPOINT_PATH]);
    const line = [...entry, ...(args ?? [])];
    const mapped = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, paths.map(value)]));
    return {
      command: (line.length === 0 ? ['sh'] : line).map((word) => paths.map(expand(word, own))),
      environment: processEnvironment(pod, paths, image, mapped),
      folder: paths.at(workingDir ?? WORK_FOLDERS[image.flinkHome === undefined ? 'host' : 'flink']),
    };
  }

  #started(): void {
    this.#startedAt = Date.now();
    this.#event({ type: 'Normal', reason: 'Created', message: `Container created` });
    this.#event({ type: 'Normal', reason: 'Started', message: `Container started` });
    this.#set({ running: { startedAt: this.#context.services.store.now() } }, { ready: true, started: true });
  }

  async #ended(exit: Exit): Promise<void> {
    const startedAt = this.status.state.running?.startedAt ?? this.#context.services.store.now();
    const message = exit.startError ?? (await this.#lastWords(exit));
    const terminated: Terminated = {
      exitCode: exit.code,
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
      reason: exit.startError === undefined ? (exit.code === 0 ? 'Completed' : 'Error') : 'StartError',
      ...(message === '' ? {} : { message }),
      startedAt,
      finishedAt: this.#context.services.store.now(),
      containerID: this.status.containerID ?? '',
    };
    this.#set({ terminated }, { ready: false, started: false });
  }

  async #backOff(): Promise<void> {
    const { backOff } = this.#context.services;
    if (Date.now() - this.#startedAt > TEN_MINUTES) this.#failures = 0;
    const wait = this.#failures === 0 ? 0 : Math.min(backOff.first * 2 ** (this.#failures - 1), backOff.most);
    this.#failures++;
    const last = this.status.state;
    if (wait > 0) {
      const { name, namespace = '', uid } = this.#context.pod().metadata;
      const what = `restarting failed container=${this.container.name} pod=${name}_${namespace}(${uid})`;
      this.#event({ type: 'Warning', reason: 'BackOff', message: `Back-off ${what}` });
      this.status = { ...this.status, lastState: last };
      this.#waiting('CrashLoopBackOff', `back-off ${String(wait / 1000)}s ${what}`);
      await this.#pause(wait);
    }
    this.#last = last;
  }

  #messagePath(): string {
    return this.container.terminationMessagePath ?? '/dev/termination-log';
  }

  async #lastWords(exit: Exit): Promise<string> {
    const { paths } = this.#context;
    const written = await readFile(paths.at(this.#messagePath()), 'utf8').catch(() => '');
    if (written !== '' || exit.code === 0) return written.slice(0, 4096);
    if (this.container.terminationMessagePolicy !== 'FallbackToLogsOnError') return '';
    const log = await readFile(paths.log(this.container.name, this.status.restartCount), 'utf8').catch(() => '');
    return log.split('\n').slice(-LAST_LINES).join('\n').slice(-LAST_BYTES);
  }

  #waiting(reason: string, message: string): void {
    this.#set({ waiting: { reason, message } }, { ready: false, started: false });
  }

  #set(state: ContainerState, flags: { ready: boolean; started: boolean }): void {
    const identity =
      state.running === undefined
        ? {}
        : { containerID: `process://${randomUUID()}`, imageID: imageIdOf(this.status.image) };
    this.status = { ...this.status, ...flags, ...identity, state };
    this.#context.publish();
  }

  #event(happening: Happening): void {
    this.#context.services.events.record(this.#context.pod(), { ...happening, fieldPath: this.#path });
  }

  async #pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#context.signal }).catch(() => undefined);
  }
}
