import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClassArchive } from '../../lib/delivery/classes/archive.ts';
import { s3ClassArchives } from '../../lib/delivery/classes/archives.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run, type Spec } from './support/dispatcher.ts';
import { ENDLESS, WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, imageOf, kubectl, turnsOf } from './support/lab.ts';
import { startStorage, type Storage } from './support/s3.ts';
import { openTenant, type Tenant } from './support/tenant.ts';
import { recordDeps, scopeOf, warmImage } from './support/warm.ts';

const run = promisify(execFile);
const HOUR = 60 * 60_000;
const PATIENT = 480;
const CLASSES = 'flink-dispatch-classes';

let tenant: Tenant;
let storage: Storage;
const runs: Run[] = [];

vi.setConfig({ testTimeout: 1_200_000 });

beforeAll(async () => {
  [tenant, storage] = await Promise.all([openTenant(await apiOfKubeconfig()), startStorage()]);
});
afterAll(async () => {
  await Promise.all(runs.map((one) => one.stop()));
  await Promise.all([tenant.remove(), storage.stop()]);
});

async function start(version: string, spec: Spec, kind: 'fetch' | 'mount' = 'fetch'): Promise<Run> {
  const { s3, ledgerBucket } = storage;
  const jars = { s3, ledgerBucket, delivery: { kind, urlTtl: HOUR } as const };
  const one = new Run({ tenant, version, spec: { ...spec, deadlines: { start: `${PATIENT}s` } }, jars });
  runs.push(one);
  return one.start();
}

async function podsOf({ namespace, clusterId }: ClusterRef): Promise<readonly V1Pod[]> {
  const text = await kubectl('get', 'pods', '-n', namespace, '-l', `app=${clusterId}`, '-o', 'json');
  return (JSON.parse(text) as { readonly items: readonly V1Pod[] }).items;
}

/** Of both kinds of pods: what the container that fetches the archive said at its end. */
async function fetchersOf(ref: ClusterRef): Promise<readonly (readonly unknown[])[]> {
  return (await podsOf(ref)).map(({ metadata, status }) => {
    const ended = status?.initContainerStatuses?.find(({ name }) => name === CLASSES)?.state?.terminated;
    return [metadata?.labels?.['component'] ?? '', ended?.exitCode, ended?.message];
  });
}

/** Whether the JVM of each pod has the archive in its memory. */
async function mapsOf(ref: ClusterRef): Promise<readonly boolean[]> {
  return Promise.all(
    (await podsOf(ref)).map(async ({ metadata }) => {
      const inPod = ['exec', '-n', ref.namespace, metadata?.name ?? '', '-c', 'flink-main-container', '--'];
      const maps = await kubectl(...inPod, 'sh', '-c', 'cat /proc/[0-9]*/maps');
      return maps.includes('/flink-dispatch-classes/flink.jsa');
    }),
  );
}

/** As a person does, with the rights of the dispatcher's Role. */
async function warmByCommand(image: string): Promise<ClassArchive> {
  const { s3, ledgerBucket } = storage;
  const at = await s3.config.endpoint?.();
  const { accessKeyId, secretAccessKey } = await s3.config.credentials();
  const env = {
    ...{ ...process.env, KUBECONFIG: tenant.kubeconfig, AWS_REGION: await s3.config.region() },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    AWS_ENDPOINT_URL: `http://${at?.hostname ?? ''}:${at?.port ?? ''}`,
  };
  const options = [`-Dkubernetes.namespace=${tenant.namespace}`, '-Dkubernetes.service-account=flink'];
  const argv = ['image', 'warm', image, '--json', '--ledger', ledgerBucket, ...options];
  const { stdout } = await run(process.execPath, ['infra/cli.mjs', ...argv], { env });
  const archive = await s3ClassArchives({ s3, bucket: ledgerBucket, keep: () => Promise.resolve() }).find(
    scopeOf(image),
  );
  expect(JSON.parse(stdout)).toMatchObject({ target: 'default', image, sha256: archive?.sha256 });
  if (archive === undefined) throw new Error('nothing was recorded');
  return archive;
}

const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** As a recording is packed: the sums are right, and what the JVM is given is not. */
async function packed(classes: Buffer): Promise<Buffer> {
  return inFolder(async (folder) => {
    for (const name of ['flink.jsa', 'scripts.jsa']) await writeFile(join(folder, name), classes);
    await run('tar', ['-cf', 'classes.tar', 'flink.jsa', 'scripts.jsa'], { cwd: folder });
    return readFile(join(folder, 'classes.tar'));
  });
}

async function halfOf({ bucket, key }: ClassArchive): Promise<Buffer> {
  return inFolder(async (folder) => {
    const { Body } = await storage.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    await writeFile(join(folder, 'classes.tar'), (await Body?.transformToByteArray()) ?? '');
    await run('tar', ['-xf', 'classes.tar', 'flink.jsa'], { cwd: folder });
    const classes = await readFile(join(folder, 'flink.jsa'));
    return classes.subarray(0, Math.floor(classes.length / 2));
  });
}

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-classes-'));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As an archive whose record says that these are its bytes. */
async function forge(version: string, real: ClassArchive, bytes: Buffer, sum: string): Promise<void> {
  const key = `jars/sha256/${sum}/forged-${version}.jar`;
  await storage.s3.send(new PutObjectCommand({ Bucket: storage.ledgerBucket, Key: key, Body: bytes }));
  const forged = { ...real, key, sha256: sum, size: bytes.length };
  await recordDeps(storage).archives.write(scopeOf(imageOf(version)), forged);
}

describe.each(FLINK_VERSIONS)('Flink %s', (version) => {
  const isTurn = turnsOf(version);
  const image = imageOf(version);
  let archive: ClassArchive;

  beforeAll(async () => {
    archive = await (isTurn() ? warmByCommand(image) : warmImage(tenant, { image, version, storage }));
  }, 1_000_000);

  it('starts on the classes that were recorded in its image, JobManager and TaskManager', async () => {
    const one = await start(version, { ...ENDLESS, fastStart: 'short' }, isTurn() ? 'mount' : 'fetch');
    await one.until(({ state }) => state === 'running', PATIENT);
    const { event } = await one.event('started', PATIENT);
    expect(event.data.fastStart).toMatchObject({ archive: archive.sha256 });
    expect((await fetchersOf(one.ref)).toSorted()).toEqual([
      ['jobmanager', 0, undefined],
      ['taskmanager', 0, undefined],
    ]);
    expect(await mapsOf(one.ref)).toEqual([true, true]);
    await one.cancel();
    await one.closed(120);
  });

  it.each(['other bytes', 'no classes, by a record that says so', 'cut', 'that of other jars'])(
    'ends its job on an archive that is %s',
    async (what) => {
      const garbage = Buffer.alloc(65_536, what);
      if (what === 'other bytes') await forge(version, archive, garbage, archive.sha256);
      else if (what === 'that of other jars')
        await recordDeps(storage).archives.write(scopeOf(image), { ...archive, classPath: sumOf(garbage) });
      else {
        const bytes = await packed(what === 'cut' ? await halfOf(archive) : garbage);
        await forge(version, archive, bytes, sumOf(bytes));
      }
      const one = await start(version, { ...WORD_COUNT, fastStart: 'short' });
      const { event } = await one.completed(PATIENT);
      expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
      await one.closed(120);
    },
  );
});
