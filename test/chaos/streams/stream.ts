import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { stringify } from 'yaml';
import { deploymentIdFor } from '../../../lib/core/ids.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { orderDeployment } from '../../../lib/dispatch/deployment/order.ts';
import { createS3Deployments } from '../../../lib/deployment/store/s3-deployments.ts';
import { createSqsRunQueue } from '../../../lib/run/store/sqs-run-queue.ts';
import type { Variant } from '../../counter/account.ts';
import type { Witness } from '../../counter/witness.ts';
import { imageOf } from '../../cluster/support/lab.ts';
import { flinkS3Options } from '../../cluster/support/s3.ts';
import type { Draws } from '../../prove/draws.ts';
import { STATE, type Deployment } from '../deployment.ts';
import type { Target } from './strikes.ts';
import { insist } from '../insist.ts';
import type { Ledger } from '../ledger.ts';

/** How each upgrade keeps the state, by turns. */
const MODES = [
  { upgradeMode: 'savepoint' },
  { upgradeMode: 'last-state' },
  { upgradeMode: 'savepoint', prepareUpgrade: true },
  { upgradeMode: 'last-state', prepareUpgrade: true },
] as const;
/** Uploads of a version that an upgrade could not bring about: what is killed may cost a savepoint. */
const TRIES = 4;

export interface StreamPlan {
  readonly index: number;
  readonly name: string;
  readonly version: string;
  /** After the first version. */
  readonly upgrades: number;
}

export interface StreamSurroundings {
  readonly deployment: Deployment;
  readonly ledger: Ledger;
  readonly namespace: string;
  readonly storageUrl: string;
  readonly witness: Witness;
  readonly jars: Readonly<Record<'first' | 'changed', Buffer>>;
  readonly draws: Draws;
  readonly note: (line: string) => void;
}

/** A stream whose team uploads one version after the other, while all is killed that carries the upgrades out. */
export class ChaosStream implements Target {
  readonly plan: StreamPlan;
  readonly witness: Witness;
  /** What has not come to its end in time. */
  readonly late: string[] = [];
  /** Upgrades that came to nothing, and why the record says so. */
  readonly spoilt: string[] = [];
  private readonly around: StreamSurroundings;
  private uploads = 0;
  private mode: string | undefined;
  private readonly runs = new Set<string>();

  constructor(plan: StreamPlan, around: StreamSurroundings) {
    this.plan = plan;
    this.around = around;
    this.witness = around.witness;
  }

  get id(): ReturnType<typeof deploymentIdFor> {
    const { namespace } = this.around;
    return deploymentIdFor({ tenant: undefined, target: 'default', namespace, name: this.plan.name });
  }

  get set(): string | undefined {
    return this.mode;
  }

  owns(body: string): boolean {
    const { runId, deployment } = parsed(body);
    if (runId !== undefined) return this.runs.has(runId);
    return deployment === this.id || body.includes(keyOf(this.plan.name));
  }

  /** From its first version to its suspension, which leaves nothing of it in the cluster. */
  async live(until: number): Promise<void> {
    const { name, upgrades } = this.plan;
    const { draws } = this.around;
    let goesOn = await this.bring('first', MODES[0], until);
    for (let number = 0; goesOn && number < upgrades; number += 1) {
      await sleep(draws.between(`${name} pause ${number}`, 0, 8_000));
      const mode = MODES[(this.plan.index + number) % MODES.length] ?? MODES[0];
      this.mode = Object.values(mode).join(' ').replace('true', 'prepared');
      // A team in a hurry: the version between never has to run.
      if (draws.chance(`${name} hurry ${number}`, 0.25)) await this.upload('changed', mode);
      goesOn = await this.bring(number % 2 === 0 ? 'changed' : 'first', mode, until);
    }
    this.mode = undefined;
    if (!goesOn || !(await this.suspend(until))) await this.remove();
  }

  /** Of its record, as anybody can read it. */
  async record(): Promise<DeploymentRecord | undefined> {
    const record = (await this.around.ledger.deployments()).find(({ id }) => id === this.id);
    for (const one of [record?.run, record?.next, record?.leaving]) if (one !== undefined) this.runs.add(one.id);
    return record;
  }

  /** Uploads it until it counts, with a checkpoint of its own. */
  private async bring(variant: Variant & ('first' | 'changed'), mode: object, until: number): Promise<boolean> {
    const { lives } = this.witness.account;
    const runs = (): boolean => {
      const life = this.witness.account.lives.at(-1);
      return (
        this.witness.account.lives.length > lives.length && life?.variant === variant && life.checkpoint !== undefined
      );
    };
    return this.want(`${variant} with ${JSON.stringify(mode)}`, until, {
      ask: () => this.upload(variant, mode),
      isThere: ({ state, wanted, reached }) => state === 'running' && reached === wanted && runs(),
    });
  }

  private suspend(until: number): Promise<boolean> {
    const variant = this.witness.account.lives.at(-1)?.variant === 'first' ? 'first' : 'changed';
    return this.want('suspended', until, {
      ask: () => this.upload(variant, { upgradeMode: 'savepoint', fallback: 'last-state', state: 'suspended' }),
      isThere: ({ state }) => state === 'suspended',
    });
  }

  /** Asks again where the record says that it cannot be had. */
  private async want(
    what: string,
    until: number,
    { ask, isThere }: { readonly ask: () => Promise<void>; readonly isThere: (record: DeploymentRecord) => boolean },
  ): Promise<boolean> {
    const { name } = this.plan;
    for (let tries = 0; tries < TRIES; tries += 1) {
      await ask();
      const asked = this.uploads;
      this.around.note(`${new Date().toISOString()} ${name}: upload ${asked}, ${what}`);
      const settled = await this.until(until, isThere);
      if (settled === 'there') return true;
      this.spoilt.push(`${name}: upload ${asked}, ${what}: ${settled}`);
    }
    this.late.push(`${name}: ${what}: ${await this.situation()}`);
    return false;
  }

  /** Why it is not there, as the record says, or that the time is over. */
  private async until(end: number, isThere: (record: DeploymentRecord) => boolean): Promise<string> {
    const version = `${String(this.uploads)}.`;
    while (Date.now() < end) {
      const record = await this.record();
      if (record !== undefined && this.isTaken(record)) {
        if (isThere(record)) return 'there';
        const { settled, wanted } = record;
        if (settled?.generation === wanted) return `${record.state}: ${settled.reason}: ${settled.message}`;
      }
      await sleep(1_000);
    }
    return `the time is over at version ${version} ${await this.situation()}`;
  }

  /** Its last upload is what is wanted. */
  private isTaken({ upload }: DeploymentRecord): boolean {
    return upload?.sequencer === sequencerOf(this.uploads);
  }

  private async upload(variant: 'first' | 'changed', mode: object): Promise<void> {
    const { deployment, jars } = this.around;
    const { s3, sqs, jarBucket, queueUrl } = deployment;
    const { name } = this.plan;
    const key = keyOf(name);
    const put = (Key: string, Body: string | Uint8Array) =>
      insist(() => s3.send(new PutObjectCommand({ Bucket: jarBucket, Key, Body })));
    await put(`${key}.job.yaml`, stringify(this.spec(mode)));
    const { ETag = '' } = await put(key, jars[variant]);
    this.uploads += 1;
    const object = {
      ...{ key, size: jars[variant].length, eTag: ETag.replaceAll('"', '') },
      sequencer: sequencerOf(this.uploads),
    };
    const common = { eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-east-1' };
    const event = { eventTime: new Date().toISOString(), eventName: 'ObjectCreated:Put' };
    const MessageBody = JSON.stringify({
      Records: [{ ...common, ...event, s3: { bucket: { name: jarBucket }, object } }],
    });
    await insist(() => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl('jar-uploads'), MessageBody })));
  }

  private spec(mode: object): object {
    const { name, version } = this.plan;
    return {
      ...{ name, image: imageOf(version), flinkVersion: version },
      // What goes wrong here is the doing of what is killed: a person would not go back.
      job: { kind: 'streaming', args: [this.witness.url, '50'], rollback: 'manual', ...mode },
      flinkConfiguration: {
        ...flinkS3Options(version, this.around.storageUrl),
        // The server keeps objects as files, and refuses to delete the folders above each that is written.
        'fs.s3a.directory.marker.retention': 'keep',
        'execution.checkpointing.interval': '2 s',
        // Its storage is killed, too.
        'execution.checkpointing.tolerable-failed-checkpoints': '1000',
        'execution.checkpointing.dir': `s3://${STATE}/checkpoints`,
        'execution.checkpointing.savepoint-dir': `s3://${STATE}/savepoints`,
      },
      deadlines: { start: '5m', run: '12h' },
      retry: { attempts: 5, backoff: '2s' },
    };
  }

  /** So that nothing of it stays, whatever has become of it. */
  private async remove(): Promise<void> {
    const { s3, sqs, ledgerBucket: bucket, queueUrl } = this.around.deployment;
    const deps = {
      deployments: createS3Deployments({ s3, bucket }),
      runQueue: createSqsRunQueue({ sqs, queueUrl: queueUrl('runs') }),
      clock: { now: () => Date.now(), sleep: async (ms: number) => void (await sleep(ms)) },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    };
    const who = { by: 'a user', once: `${this.plan.name} last` };
    if ((await this.record()) === undefined) return;
    await insist(() => orderDeployment(this.id, { kind: 'delete', purge: false }, who, deps));
  }

  private async situation(): Promise<string> {
    const { state, wanted, reached, run, settled, stepError } = (await this.record()) ?? {};
    return JSON.stringify({ state, wanted, reached, run, settled, stepError, account: this.witness.account });
  }
}

function keyOf(name: string): string {
  return `uploads/${name}.jar`;
}

function parsed(body: string): { readonly runId?: string; readonly deployment?: string } {
  try {
    return JSON.parse(body) as object;
  } catch {
    return {};
  }
}

function sequencerOf(upload: number): string {
  return `0055AED6DCD9${upload.toString(16).toUpperCase().padStart(6, '0')}`;
}
