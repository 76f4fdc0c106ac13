import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { ownerMetadata } from '../../../lib/kubernetes/cluster/owner-metadata.ts';
import { answerOf } from '../../simulated/job-manager.ts';
import { LEDGER, member, podUid, type Member } from './fleet.ts';

/*
 * Kubernetes with that many live Flink clusters, S3 and SQS, in a process of its own: what it costs to play them is not
 * counted with what it costs to follow them. Prints its port; `GET /counts` tells what was asked of it.
 */
const SIZE = Number(process.argv[2]);
const RECORDING = new URL('../../fixtures/kubernetes/2.3.0/running/facts.json', import.meta.url);
const JOB = new URL('../../fixtures/flink/rest/2.3.0/running/job.json', import.meta.url);
const details = JSON.parse(readFileSync(JOB, 'utf8')) as object;
const template = JSON.parse(readFileSync(RECORDING, 'utf8')) as { deployment: V1Deployment; pods: V1Pod[] };

const fleet = new Map<string, Member>(
  Array.from({ length: SIZE }, (_, index) => member(index)).map((one) => [one.clusterId, one]),
);
const objects = new Map<string, { body: Buffer; eTag: string; meta: Record<string, string> }>();
const counts: Record<string, number> = {};

function deploymentOf(one: Member): V1Deployment {
  const { annotations, labels } = ownerMetadata({ kind: 'run', runId: one.runId, attempt: 1, ledger: LEDGER });
  const { metadata, ...rest } = template.deployment;
  return {
    ...rest,
    metadata: {
      ...metadata,
      name: one.clusterId,
      uid: `deployment-${one.clusterId}`,
      labels: { ...metadata?.labels, ...labels },
      annotations: { ...metadata?.annotations, ...annotations },
    },
  };
}

function podsOf(one: Member): V1Pod[] {
  return template.pods.map(({ metadata, spec, status }) => {
    const manages = metadata?.labels?.['component'] === 'jobmanager';
    const name = `${one.clusterId}-${manages ? 'x' : 'taskmanager-1-1'}`;
    const labels = { ...metadata?.labels, app: one.clusterId };
    const statuses = status?.containerStatuses?.map((container) => ({ ...container, restartCount: 0 })) ?? [];
    const uid = manages ? podUid(one) : `${podUid(one)}-1`;
    return {
      metadata: { ...metadata, name, uid, labels },
      ...(spec && { spec }),
      status: { ...status, containerStatuses: statuses },
    };
  });
}

/** A job of two vertices with checkpoints. */
function historyOf({ jobId }: Member, path: string): unknown {
  const job = `/jobs/${jobId}`;
  if (path === job) return { ...details, jid: jobId };
  if (path === `${job}/metrics`) return [{ id: 'numRestarts', value: '0' }];
  if (path === '/taskmanagers/metrics')
    return ['Used', 'Max'].map((name) => ({ id: `Status.JVM.Memory.Heap.${name}`, max: 123_456_789 }));
  if (path.endsWith('/watermarks')) return [{ id: '0.currentInputWatermark', value: String(Date.now()) }];
  if (path === `${job}/checkpoints`) {
    const one = { '@class': 'completed', id: 7, status: 'COMPLETED', is_savepoint: false, trigger_timestamp: 1 };
    const sizes = { latest_ack_timestamp: 2, state_size: 1, checkpointed_size: 1, end_to_end_duration: 1 };
    return {
      counts: { completed: 7, failed: 0 },
      latest: { completed: { ...one, ...sizes } },
      history: Array.from({ length: 10 }, (_, id) => ({ ...one, ...sizes, id })),
    };
  }
  return undefined;
}

function flink(one: Member, path: string): unknown {
  const job = { jobId: one.jobId, name: 'follow', startedAt: 0, runs: Infinity };
  return historyOf(one, path) ?? answerOf(job, path, Date.now());
}

function kubernetes(url: URL): unknown {
  const selected = /app=([^,]+)/.exec(url.searchParams.get('labelSelector') ?? '')?.[1];
  const [, , , , , resource, name = '', , ...rest] = url.pathname.split('/');
  if (url.pathname.startsWith('/apis/apps/v1/')) {
    const one = fleet.get(decodeURIComponent(url.pathname.split('/')[7] ?? ''));
    return one === undefined ? undefined : deploymentOf(one);
  }
  if (resource === 'pods' && name !== '') return 'a line of a log\n';
  if (resource === 'pods') {
    const one = fleet.get(selected ?? '');
    return { items: one === undefined ? [] : podsOf(one) };
  }
  if (resource === 'services') {
    const one = fleet.get(decodeURIComponent(name).replace(/-rest:rest$/, ''));
    return one && flink(one, `/${rest.join('/')}`);
  }
  return { items: [] };
}

function storage(request: IncomingMessage, key: string, body: Buffer, response: ServerResponse): void {
  const stored = objects.get(key);
  if (request.method === 'PUT') {
    const condition = request.headers['if-match'];
    if (condition !== undefined && condition !== stored?.eTag) return xml(response, 412, 'PreconditionFailed');
    const eTag = `"${createHash('md5').update(body).digest('hex')}"`;
    const meta = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
    objects.set(key, { body, eTag, meta: Object.fromEntries(meta) as Record<string, string> });
    response.writeHead(200, { etag: eTag }).end();
  } else if (stored === undefined) xml(response, 404, 'NoSuchKey');
  else response.writeHead(200, { etag: stored.eTag, ...stored.meta }).end(stored.body);
}

function xml(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<Error><Code>${code}</Code><Message>simulated</Message></Error>`);
}

function queue(body: Buffer, response: ServerResponse): void {
  const { MessageBody = '' } = JSON.parse(body.toString()) as { MessageBody?: string };
  const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
  json(response, { MessageId: '1', MD5OfMessageBody });
}

function json(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(value === undefined ? 404 : 200, headers).end(text);
}

function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://fleet');
  if (url.pathname === '/counts') return json(response, counts);
  const kind = url.pathname.startsWith(`/${LEDGER}/`)
    ? `s3 ${request.method ?? ''}`
    : request.headers['x-amz-target'] !== undefined
      ? 'sqs SendMessage'
      : url.pathname.includes('/proxy/')
        ? 'flink'
        : 'kubernetes';
  counts[kind] = (counts[kind] ?? 0) + 1;
  if (kind.startsWith('s3')) storage(request, url.pathname, body, response);
  else if (kind.startsWith('sqs')) queue(body, response);
  else json(response, kubernetes(url) ?? { kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound' });
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    answer(request, Buffer.concat(chunks), response);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.stdin.resume().once('end', () => process.exit(0));
