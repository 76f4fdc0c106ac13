import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { imageOf, LAB } from './lab.ts';

const run = promisify(execFile);
const CTR = ['-a', join(LAB, 'run', 'containerd.sock'), '-n', 'k8s.io'];

/** A registry of the lab's own image that does not answer until it is told to. */
export interface SlowRegistry {
  /** What a pod asks for. The name of its host makes containerd use plain HTTP. */
  readonly image: string;
  answer(): void;
  close(): void;
}

/** Where the lab's containerd reaches it: inside `test/cluster/lab/enter`. */
export async function openSlowRegistry(version: string): Promise<SlowRegistry> {
  let answer = (): void => undefined;
  const told = new Promise<void>((resolve) => (answer = resolve));
  const server = createServer((request, response) => {
    void told.then(() => serve(request, response, version)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const image = `127.0.0.1:${(server.address() as AddressInfo).port}/flink:slow`;
  return {
    image,
    answer,
    // The name stays in the lab: taken from containerd behind the kubelet's back, it takes the image's other names along.
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What containerd has of the image, layers included: of those it fetches none. */
async function serve({ url = '', method }: IncomingMessage, response: ServerResponse, version: string): Promise<void> {
  const [, kind, reference = ''] = /^\/v2\/flink\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
  if (kind === undefined) return void response.writeHead(url === '/v2/' ? 200 : 404).end();
  const digest = reference.startsWith('sha256:') ? reference : await digestOf(version);
  const { stdout } = await run('ctr', [...CTR, 'content', 'ls']);
  const size = new RegExp(`^${digest}\\s+([\\d.]+\\S*)`, 'm').exec(stdout)?.[1];
  if (size === undefined) return void response.writeHead(404).end();
  const type = kind === 'blobs' ? 'application/octet-stream' : 'application/vnd.docker.distribution.manifest.v2+json';
  response.writeHead(200, { 'content-type': type, 'docker-content-digest': digest });
  if (method === 'HEAD') return void response.end();
  spawn('ctr', [...CTR, 'content', 'get', digest]).stdout.pipe(response);
}

async function digestOf(version: string): Promise<string> {
  const { stdout } = await run('ctr', [...CTR, 'images', 'ls', `name==${imageOf(version)}`]);
  return /sha256:[0-9a-f]{64}/.exec(stdout)?.[0] ?? '';
}
