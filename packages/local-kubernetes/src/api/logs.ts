import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { badRequest } from '../errors.ts';
import type { ContainerStatus, Pod } from '../objects.ts';
import { PODS } from '../resources.ts';
import type { Store } from '../store.ts';
import type { Node } from '../node/node-services.ts';
import type { Target } from './request.ts';

const POLL = 200;

function containerOf(pod: Pod, asked: string | null): string {
  const { name } = pod.metadata;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((container) => container.name);
  if (asked !== null && containers.includes(asked)) return asked;
  if (asked !== null) throw badRequest(`container ${asked} is not valid for pod ${name}`);
  const [only = '', ...others] = pod.spec.containers.map((container) => container.name);
  if (others.length === 0) return only;
  const all = [only, ...others].join(' ');
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all}]`);
}

/** @throws ApiError 400 when there is no such log, in the API server's words */
function checkStarted(pod: Pod, status: ContainerStatus | undefined, container: string, previous: boolean): void {
  const { name } = pod.metadata;
  const ended = status?.lastState.terminated;
  if (previous) {
    if (ended !== undefined || (status?.restartCount ?? 0) > 0) return;
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  }
  const { running, terminated, waiting } = status?.state ?? {};
  if ((running ?? terminated ?? ended) !== undefined) return;
  const reason = waiting?.reason ?? 'ContainerCreating';
  const why = reason.includes('Pull') ? 'trying and failing to pull image' : `waiting to start: ${reason}`;
  throw badRequest(`container "${container}" in pod "${name}" is ${why}`);
}

/** Where the last lines of a text begin. */
function startOfLast(lines: number, text: Buffer): number {
  let start = text.length;
  // The end of the last line is not yet the end of the line before it.
  let before = text.at(-1) === 10 ? text.length - 1 : text.length;
  for (let left = lines; left > 0 && start > 0; left--) {
    before = text.subarray(0, before).lastIndexOf(10);
    start = before + 1;
  }
  return start;
}

/** The last lines of a text, and of those the first bytes, as the kubelet cuts them. */
export function cut(text: Buffer, query: URLSearchParams): Buffer {
  const tail = query.get('tailLines');
  const start = tail === null ? 0 : startOfLast(Number(tail), text);
  const limit = query.get('limitBytes');
  return text.subarray(start, limit === null ? undefined : start + Number(limit));
}

export async function sendLog(
  { store, node }: { store: Store; node: Node },
  target: Target,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const pod = store.get(PODS, target.namespace, target.name ?? '') as Pod;
  const container = containerOf(pod, query.get('container'));
  const previous = query.get('previous') === 'true';
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const status = statuses.find(({ name }) => name === container);
  checkStarted(pod, status, container, previous);
  const runner = node.runner(pod);
  // While a container waits for its restart the log is that of the run before, which has the same number.
  const file = runner?.logFile(container, previous && status?.state.waiting === undefined);
  if (file === undefined) throw badRequest(`unable to retrieve container logs for ${container}`);
  response.writeHead(200, { 'content-type': 'text/plain' });
  const text = await readFile(file).catch(() => Buffer.alloc(0));
  response.write(cut(text, query));
  if (query.get('follow') === 'true') {
    await follow(file, text.length, () => runner?.isRunning(container) === true, response);
  }
  response.end();
}

async function follow(file: string, from: number, running: () => boolean, response: ServerResponse): Promise<void> {
  let position = from;
  for (let last = false; !last && !response.destroyed;) {
    last = !running();
    const size = (await stat(file).catch(() => undefined))?.size ?? position;
    if (size > position) {
      for await (const chunk of createReadStream(file, { start: position, end: size - 1 })) response.write(chunk);
      position = size;
    }
    if (!last) await delay(POLL);
  }
}
