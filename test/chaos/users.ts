import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { stringify } from 'yaml';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createSqsRunQueue } from '../../lib/run/store/sqs-run-queue.ts';
import type { RunId } from '../../lib/core/ids.ts';
import { imageOf } from '../cluster/support/lab.ts';
import type { Draws } from '../prove/draws.ts';
import type { Deployment } from './deployment.ts';
import { insist } from './insist.ts';
import type { Wish } from './wishes.ts';

export const NOT_ALLOWED_IMAGE = 'somebody/else:1';
/** What the other payload under the same key calls itself. */
export const OTHER = '-other';
const SCHEDULE = 'arn:aws:scheduler:us-east-1:000000000000:schedule/chaos/';

export interface UsersOptions {
  readonly deployment: Deployment;
  readonly witnessUrl: string;
  /** The jar that is uploaded, by Flink version. */
  readonly jars: ReadonlyMap<string, string>;
  readonly draws: Draws;
}

/** Where an event of a schedule goes that the function could not take in three tries. */
const SCHEDULE_TRIES = 3;

/** Those who ask for runs, and who cancel: they insist on an answer, and ask again when there is none. */
export class Users {
  private readonly options: UsersOptions;

  constructor(options: UsersOptions) {
    this.options = options;
  }

  /** As often as the wish says, a moment apart; resolves when all deliveries were taken. */
  async ask(wish: Wish): Promise<void> {
    const { draws } = this.options;
    const deliver = await this.prepare(wish);
    const deliveries = Array.from({ length: wish.times }, async (_, index) => {
      if (index > 0) await sleep(draws.between(`${wish.name} again ${index}`, 0, 5_000));
      await deliver();
    });
    await Promise.all(deliveries);
  }

  async cancel(runId: RunId): Promise<boolean> {
    const { s3, ledgerBucket: bucket, sqs, queueUrl } = this.options.deployment;
    const deps = {
      ledger: createS3Ledger({ s3, bucket }),
      runQueue: createSqsRunQueue({ sqs, queueUrl: queueUrl('runs') }),
      clock: { now: () => Date.now(), sleep: async (ms: number) => void (await sleep(ms)) },
    };
    return insist(() => cancelRun(runId, { by: 'a user', reason: 'JobCanceled' }, deps));
  }

  /** Answers one delivery of it. */
  private async prepare(wish: Wish): Promise<() => Promise<void>> {
    switch (wish.trigger) {
      case 'message':
        return () => this.message(wish);
      case 'jar-upload':
        return this.upload(wish);
      case 'schedule':
        return this.schedule(wish);
    }
  }

  private async message(wish: Wish): Promise<void> {
    if (wish.fault === 'malformed') return this.send('messages', `${wish.name} is no object`);
    const body = (spec: object): string => JSON.stringify({ spec, idempotencyKey: wish.name });
    await this.send('messages', body(this.spec(wish)));
    if (wish.conflict === true) await this.send('messages', body(this.spec(wish, wish.name + OTHER)));
  }

  /** S3 tells of an object at least once; here once for each delivery. */
  private async upload(wish: Wish): Promise<() => Promise<void>> {
    const { deployment, jars } = this.options;
    const { s3, jarBucket } = deployment;
    const key = `uploads/${wish.name}.jar`;
    const Body = await readFile(jars.get(wish.version) ?? '');
    const put = (Key: string, content: string | Uint8Array): Promise<{ readonly ETag?: string | undefined }> =>
      insist(() => s3.send(new PutObjectCommand({ Bucket: jarBucket, Key, Body: content })));
    await put(`${key}.job.yaml`, stringify(this.spec(wish)));
    const { ETag = '' } = await put(key, Body);
    const object = { key, size: Body.length, eTag: ETag.replaceAll('"', ''), sequencer: '0055AED6DCD90281E5' };
    const common = { eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-east-1' };
    const event = { eventTime: new Date().toISOString(), eventName: 'ObjectCreated:Put' };
    const record = { ...common, ...event, s3: { bucket: { name: jarBucket }, object } };
    return () => this.send('jar-uploads', JSON.stringify({ Records: [record] }));
  }

  /** As EventBridge Scheduler calls Lambda: asynchronously, three tries, then it is put aside. */
  private async schedule(wish: Wish): Promise<() => Promise<void>> {
    const { deployment } = this.options;
    const { s3, ledgerBucket, functions } = deployment;
    const Body = stringify(this.spec(wish));
    const stored = new PutObjectCommand({ Bucket: ledgerBucket, Key: `jobs/${wish.name}.yaml`, Body });
    await insist(() => s3.send(stored));
    const event = { job: wish.name, schedule: SCHEDULE + wish.name, scheduledTime: '2026-01-01T06:00:00Z' };
    return async () => {
      for (let tries = 0; tries < SCHEDULE_TRIES; tries += 1) {
        if ((await functions['on-schedule'].invoke(event)) !== undefined) return;
        await sleep(1_000);
      }
      await this.send('schedules-failed', JSON.stringify(event));
    };
  }

  private async send(queue: string, MessageBody: string): Promise<void> {
    const { sqs, queueUrl } = this.options.deployment;
    await insist(() => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(queue), MessageBody })));
  }

  private spec(wish: Wish, who = wish.name): object {
    const { deployment, witnessUrl } = this.options;
    const { name, version, program, concurrency, trigger } = wish;
    const args = [witnessUrl, who, program];
    // An upload's jar is the one that was uploaded.
    const jar = trigger === 'jar-upload' ? {} : { jarURI: deployment.jarOf(version) };
    return {
      ...{ name, flinkVersion: version, image: wish.fault === 'not-allowed' ? NOT_ALLOWED_IMAGE : imageOf(version) },
      job: { ...jar, args },
      ...(concurrency === undefined ? {} : { concurrency }),
    };
  }
}

/** By what the record of a wish's run is known: its source. */
export function isOf({ name, trigger }: Wish, source: { readonly kind: string }): boolean {
  if (source.kind !== trigger) return false;
  const facts = source as { idempotencyKey?: string; key?: string; schedule?: string };
  return [facts.idempotencyKey, facts.key, facts.schedule].some(
    (it) => it === name || it === `uploads/${name}.jar` || it === SCHEDULE + name,
  );
}
