import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClassArchive } from '../../lib/delivery/classes/archive.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run, type Spec } from './support/dispatcher.ts';
import { ENDLESS, WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, imageOf, kubectl, turnsOf } from './support/lab.ts';
import { startStorage, type Storage } from './support/s3.ts';
import { openTenant, type Tenant } from './support/tenant.ts';
import { recordDeps, scopeOf, warmImage } from './support/warm.ts';

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
  await Promise.all(runs.map((run) => run.stop()));
  await Promise.all([tenant.remove(), storage.stop()]);
});

async function start(version: string, spec: Spec, kind: 'fetch' | 'mount' = 'fetch'): Promise<Run> {
  const { s3, ledgerBucket } = storage;
  const jars = { s3, ledgerBucket, delivery: { kind, urlTtl: HOUR } as const };
  const run = new Run({ tenant, version, spec: { ...spec, deadlines: { start: `${PATIENT}s` } }, jars });
  runs.push(run);
  return run.start();
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
    archive = await warmImage(tenant, { image, version, storage });
  }, 1_000_000);

  it('starts on the classes that were recorded in its image, JobManager and TaskManager', async () => {
    const run = await start(version, { ...ENDLESS, fastStart: 'short' }, isTurn() ? 'mount' : 'fetch');
    await run.until(({ state }) => state === 'running', PATIENT);
    const { event } = await run.event('started', PATIENT);
    expect(event.data.fastStart).toMatchObject({ archive: archive.sha256 });
    expect((await fetchersOf(run.ref)).toSorted()).toEqual([
      ['jobmanager', 0, undefined],
      ['taskmanager', 0, undefined],
    ]);
    expect(await mapsOf(run.ref)).toEqual([true, true]);
    await run.cancel();
    await run.closed(120);
  });

  it.each(['other bytes', 'no archive at all, by a record that says so', 'that of other jars'])(
    'ends its job on an archive that is %s',
    async (what) => {
      const garbage = Buffer.alloc(65_536, what);
      const own = createHash('sha256').update(garbage).digest('hex');
      if (what === 'other bytes') await forge(version, archive, garbage, archive.sha256);
      else if (what === 'that of other jars')
        await recordDeps(storage).archives.write(scopeOf(image), { ...archive, classPath: own });
      else await forge(version, archive, garbage, own);
      const run = await start(version, { ...WORD_COUNT, fastStart: 'short' });
      const { event } = await run.completed(PATIENT);
      expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
      await run.closed(120);
    },
  );
});
