import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** An API server that answers what a test says, by method and path; with the kubeconfig that leads to it. */
export async function fakeKubernetes(answers: Record<string, Answer | (() => Answer)>) {
  const requests: string[] = [];
  const created: unknown[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    const key = `${request.method ?? ''} ${path}`;
    requests.push(`${request.method ?? ''} ${decodeURIComponent(request.url ?? '')}`);
    const found = answers[key] ?? {
      status: 404,
      body: { kind: 'Status', status: 'Failure', message: `nothing at ${path}` },
    };
    const { status, body } = typeof found === 'function' ? found() : found;
    let sent = '';
    request.on('data', (chunk: Buffer) => (sent += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'POST') created.push(JSON.parse(sent || 'null'));
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response
        .writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' })
        .end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'flink-dispatch-')), 'kubeconfig');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server: url } }],
    users: [{ name: 'me', user: { token: 'x' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'me' } }],
    'current-context': 'fake',
  };
  writeFileSync(kubeconfig, JSON.stringify(content));
  return {
    url,
    env: { KUBECONFIG: kubeconfig },
    requests,
    /** Bodies of POST requests. */
    created,
    close: () => {
      server.closeAllConnections();
      server.close();
      rmSync(dirname(kubeconfig), { recursive: true });
    },
  };
}

export function recorded(version: string, state: string, name: string): unknown {
  const file = new URL(`../../../test/fixtures/flink/rest/${version}/${state}/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function deployment(name: string, namespace: string, mode: 'application' | 'session') {
  return {
    metadata: {
      name,
      namespace,
      creationTimestamp: '2026-11-21T05:00:00Z',
      labels: { app: name, type: 'flink-native-kubernetes' },
    },
    spec: {
      template: {
        spec: {
          containers: [{ image: 'flink:2.3.0', args: ['bash', '-c', `kubernetes-jobmanager.sh kubernetes-${mode} `] }],
        },
      },
    },
    status: { readyReplicas: 1 },
  };
}
