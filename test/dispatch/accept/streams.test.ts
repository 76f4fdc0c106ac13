import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { accept } from '../../../lib/dispatch/accept.ts';
import { checkQuota } from '../../../lib/dispatch/quota.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { writeZip } from '../../job/jar/zip-writer.ts';
import { jobMessage, QUEUE_ARN } from '../world/simulated.ts';
import { Asking } from './asking.ts';

const MANIFEST = { name: 'META-INF/MANIFEST.MF', content: Buffer.from('Main-Class: a.B\n') };
const JAR = writeZip([{ ...MANIFEST, streamed: false, stored: true }]);

let asking: Asking;
beforeEach(() => {
  asking = new Asking();
});
const DIRECTORIES = {
  'execution.checkpointing.dir': 's3://state/checkpoints',
  'execution.checkpointing.savepoint-dir': 's3://state/savepoints',
  'execution.checkpointing.interval': '10 s',
};
const STREAM = { name: 'orders', flinkConfiguration: DIRECTORIES };
const streamJob = (args: readonly string[] = []) => ({
  jarURI: 'local:///opt/job.jar',
  entryClass: 'a.B',
  kind: 'streaming',
  args,
});
const stream = (args: readonly string[] = [], key?: string): RunRequest =>
  jobMessage({ ...STREAM, job: streamJob(args) }, key);
const id = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'orders' });
const take = (request: RunRequest) => accept(request, asking.deps);

describe('a stream', () => {
  it('is a generation of its deployment, and no run', async () => {
    const request = stream();
    const accepted = { runId: runIdFor(request.identity), deployment: { id, generation: 1 } };
    expect(await take(request)).toEqual({ ...accepted, result: 'accepted' });
    expect(await take(request)).toEqual({ ...accepted, result: 'duplicate' });
    expect(asking.ledger.writes).toEqual([]);
    expect(asking.sent).toEqual(Array(2).fill({ message: { version: 1, deployment: id }, delay: 0 }));
    expect(asking.logged).toEqual([`info generation accepted {"deployment":"${id}","generation":1,"name":"orders"}`]);
    expect(asking.deployments.records).toMatchObject([{ id, state: 'starting' }]);
  });

  it('of the same key and another payload is refused, and changes no deployment', async () => {
    await take(stream([], 'key'));
    const refused = await take(stream(['another'], 'key'));
    expect(refused.result).toBe('rejected');
    const message = `a request to deployment ${id} has the same idempotency key and another payload`;
    expect(asking.deadLetters.letters).toMatchObject([{ reason: 'IdempotencyConflict', message }]);
    expect(asking.deployments.writes).toHaveLength(1);
  });

  it('has no end that a task could wait for', async () => {
    const request = { ...stream(), taskToken: 'a token' };
    expect(await take(request)).toMatchObject({ result: 'rejected' });
    expect(asking.deadLetters.letters).toMatchObject([{ reason: 'InvalidSpec', field: 'taskToken' }]);
    expect(asking.deployments.writes).toEqual([]);
  });

  it('is tried again where others change its deployment each time', async () => {
    asking.deployments.create = () => Promise.resolve(undefined);
    await expect(take(stream())).rejects.toMatchObject({
      reason: 'StorageUnavailable',
      message: `deployment ${id} was changed 25 times meanwhile`,
    });
    expect(asking.sent).toEqual([]);
  });

  it('counts for its tenant when it is new, and its next version does not', async () => {
    const config = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
tenants:
  one:
    sources: [{ queue: '${QUEUE_ARN}' }]
    targets: { default: [flink] }
    quotas: { liveRuns: 1 }
    allow: { images: ['flink:*'], serviceAccounts: [flink], jarUriSchemes: [local], options: { allow: ['*'] } }
`);
    const { prepare, ...deps } = asking.deps;
    const ofOne = { ...deps, prepare: { ...prepare, deployment: config } };
    const of = async (request: RunRequest) => (await accept(request, ofOne)).result;
    expect(await of(stream())).toBe('accepted');
    expect(await of(jobMessage({}))).toBe('accepted');
    expect(asking.ledger.records.map(({ tenant }) => tenant)).toEqual(['one']);
    expect(await of(stream(['next']))).toBe('accepted');
    expect(await of(jobMessage({}))).toBe('rejected');
    expect(await of(jobMessage({ ...STREAM, name: 'another', job: streamJob() }))).toBe('rejected');
    expect(asking.deadLetters.letters.map(({ reason, field }) => [reason, field])).toEqual([
      ['NotAllowed', 'tenant'],
      ['NotAllowed', 'tenant'],
    ]);
  });
});

describe('a tenant', () => {
  const prepare = { deployment: { tenants: { one: { quotas: { liveRuns: 2 } }, free: { quotas: {} } } } } as never;
  it.each([
    ['one', 1, true],
    ['one', 2, false],
    ['free', 9, true],
    ['unknown', 9, true],
    [undefined, 9, true],
  ])('%s with %i live runs may have another one: %s', async (tenant, count, may) => {
    const asked: unknown[] = [];
    const live = {
      list: (page: unknown) => {
        asked.push(page);
        return Promise.resolve(Array<never>(count));
      },
    };
    const request = { ...jobMessage({}), ...(tenant !== undefined && { tenant }) };
    const checked = checkQuota(request, { live, prepare });
    if (may) await checked;
    else await expect(checked).rejects.toMatchObject({ reason: 'NotAllowed', field: 'tenant' });
    expect(asked).toEqual(tenant === 'one' ? [{ tenant: 'one', limit: 2 }] : []);
  });
});

describe('what is judged before anything is written', () => {
  it('is what Flink would refuse at the launch', async () => {
    const options = { 'taskmanager.memory.process.size': '64m' };
    expect(await take(jobMessage({ flinkConfiguration: options }))).toMatchObject({ result: 'rejected' });
    expect(asking.deadLetters.letters).toMatchObject([{ reason: 'InvalidConfiguration' }]);
    expect(asking.pinned).toEqual([]);
  });

  it('does not claim the uploads of a program that is no stream', async () => {
    const source = { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', eventTime: 0 } as const;
    const { prepare, ...deps } = asking.deps;
    const allow = { ...prepare.deployment.allow, jarBuckets: ['jars'], jarUriSchemes: ['local', 's3'] } as never;
    const head = { size: JAR.length, eTag: 'e', metadata: {} };
    const objects: typeof prepare.objects = {
      ...prepare.objects,
      read: (_, { offset = JAR.length, length }) => {
        const from = offset === JAR.length ? Math.max(0, JAR.length - length) : offset;
        return Promise.resolve({ head, bytes: JAR.subarray(from, from + length) });
      },
    };
    const ofUpload = { ...deps, prepare: { ...prepare, objects, deployment: { ...prepare.deployment, allow } } };
    const upload = (spec: unknown, identity: string) => accept({ source, identity, spec }, ofUpload);
    const job = { entryClass: 'a.B' };
    expect(await upload({ name: 'orders', job }, 'batch')).toMatchObject({ result: 'accepted' });
    expect(await asking.deployments.uploadsOf(source)).toBeUndefined();
    expect(await upload({ ...STREAM, job: { ...job, kind: 'streaming' } }, 'stream')).toHaveProperty('deployment');
    expect(await asking.deployments.uploadsOf(source)).toBe(id);
  });
});

describe('the fingerprint of a request', () => {
  it('stays the same from version to version: a request that comes again is compared by it', async () => {
    await take({ ...jobMessage({}, 'key'), spec: { name: 'a', job: { jarURI: 'local:///opt/job.jar' } } });
    expect(asking.ledger.writes[0]?.fingerprint).toBe(
      '97e6db9386b491ea91ca8e398751a540b90e6ccd1aa9de7e8a311523c4d44f30',
    );
  });
});
