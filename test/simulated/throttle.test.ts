import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { statusError } from '../../lib/kubernetes/api/status-error.ts';
import { fromAwsError } from '../../lib/core/aws-error.ts';
import { busyAws, busyKubernetes } from './refusals.ts';
import { draw, startThrottle, type Throttle, type ThrottleOptions } from './throttle.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of open.splice(0)) await stop();
});

/** Answers each request with its path. */
async function echo(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(201).end(request.url));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function throttle(options: Pick<ThrottleOptions, 'refuse' | 'most' | 'seed'>): Promise<Throttle> {
  const made = await startThrottle({ upstream: await echo(), ...options });
  open.unshift(() => made.stop());
  return made;
}

/** A seed whose first spell refuses about all of these requests. */
function severe(what: string): number {
  for (let seed = 0; ; seed += 1) if (draw(`${seed} ${what} 0`) > 0.999) return seed;
}

describe('a throttle', () => {
  it('passes on what it does not refuse, and counts both', async () => {
    const { url, counts } = await throttle({ refuse: busyKubernetes, most: 0.9, seed: severe('kubernetes') });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => fetch(`${url}/${at}`, { method: 'PUT' })));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([201, 429]));
    const refused = statuses.filter((status) => status === 429).length;
    expect(counts.get('kubernetes')).toEqual({ asked: 60, refused });
    const passed = await Promise.all(answers.map((answer) => answer.text()));
    expect(passed.filter((text, at) => text === `/${at}`)).toHaveLength(60 - refused);
  });

  it('refuses nothing when nothing is to be refused', async () => {
    const { url, counts } = await throttle({ refuse: busyKubernetes, most: 0, seed: severe('kubernetes') });
    expect((await fetch(url)).status).toBe(201);
    expect(counts.get('kubernetes')).toEqual({ asked: 1, refused: 0 });
  });
});

describe('what the product makes of the refusals', () => {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const call = { action: 'a', resource: 'b' };

  it('of Kubernetes: try again when it says', async () => {
    const { url } = await throttle({ refuse: busyKubernetes, most: 1, seed: severe('kubernetes') });
    const anonymous = { credentials: () => Promise.resolve({ headers: {}, tls: {} }) };
    const api = createKubernetesApi({ server: url, ...anonymous });
    const response = await api.request({ method: 'GET', path: '/api' });
    expect(response).toMatchObject({ status: 429, retryAfter: 1 });
    const error = statusError(response, { verb: 'list', resource: 'pods', namespace: 'a' });
    expect(error).toMatchObject({ reason: 'ClusterUnavailable', retryAfter: 1 });
  });

  it.each([
    ['s3', 'SlowDown'],
    ['sqs SendMessage', 'RequestThrottled'],
    ['events PutEvents', 'ThrottlingException'],
  ])('of %s: throttled, by the name that the SDK knows', async (what, named) => {
    const { url: endpoint } = await throttle({ refuse: busyAws(), most: 1, seed: severe(what) });
    const config = { endpoint, credentials, region: 'us-east-1', maxAttempts: 1, forcePathStyle: true };
    const asked: Record<string, () => Promise<unknown>> = {
      s3: () => new S3Client(config).send(new GetObjectCommand({ Bucket: 'a', Key: 'b' })),
      'sqs SendMessage': () =>
        new SQSClient(config).send(new SendMessageCommand({ QueueUrl: `${endpoint}/1/q`, MessageBody: 'a' })),
      'events PutEvents': () =>
        new EventBridgeClient(config).send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] })),
    };
    const error = await asked[what]?.().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: named });
    expect(fromAwsError(error, call).reason).toBe('StorageUnavailable');
  });

  it('of every second PutEvents: a success that names the refused entry', async () => {
    const { url: endpoint } = await throttle({ refuse: busyAws(), most: 1, seed: severe('events entry') });
    const client = new EventBridgeClient({ endpoint, credentials, region: 'us-east-1', maxAttempts: 2 });
    const answers = [1, 2].map(() =>
      client.send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] })).catch(() => undefined),
    );
    expect(await Promise.all(answers)).toContainEqual(
      expect.objectContaining({
        FailedEntryCount: 1,
        Entries: [expect.objectContaining({ ErrorCode: 'ThrottlingException' })],
      }),
    );
  });
});
