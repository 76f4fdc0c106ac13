import type { V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { clusterIdFor, jobIdFor, runIdFor } from '../../../lib/core/ids.ts';
import type { ClassArchive } from '../../../lib/delivery/classes/archive.ts';
import { fastDelivery, type FastDeps } from '../../../lib/delivery/classes/fast-delivery.ts';
import type { Delivery, DeliveryContext } from '../../../lib/delivery/delivery.ts';
import { planCluster } from '../../../lib/dispatch/plan-cluster.ts';
import type { FlinkCluster } from '../../../lib/flink/cluster.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { launchedSample } from '../../fixtures/records/load.ts';
import { ownerOf } from '../../fakes/ids.ts';

const runId = runIdFor('x');
const clusterId = clusterIdFor('job', runId, 1);
const ref = { namespace: 'flink', clusterId };
const JAR = { jarUri: 'local:///opt/flink/usrlib/a.jar' };
const ARCHIVE: ClassArchive = {
  ...{ bucket: 'own', key: 'jars/sha256/a/flink.jsa.jar', sha256: 'a'.repeat(64), size: 7, java: '17.0.15' },
  ...{ classPath: 'b'.repeat(64), imageDigest: `sha256:${'c'.repeat(64)}` },
};
const MAPPED = ['-XX:SharedArchiveFile=/flink-dispatch-classes/flink.jsa', '-Xshare:auto'];

function jobWith(changes: Partial<ResolvedJob> = {}, options: Readonly<Record<string, string>> = {}): ResolvedJob {
  const image = { 'kubernetes.container.image.ref': 'flink:2.3.0', ...options };
  const base = { ...launchedSample().job, mode: 'application', kind: 'batch', podTemplates: {}, fastStart: 'on' };
  return { ...base, options: image, jar: { uri: JAR.jarUri }, flinkVersion: '2.3', ...changes } as ResolvedJob;
}

async function deliver(
  job: ResolvedJob,
  { own = JAR, context, ...deps }: Partial<FastDeps> & { own?: Delivery; context?: DeliveryContext } = {},
): Promise<Delivery> {
  const made = fastDelivery(() => Promise.resolve(own), {
    archives: { find: () => Promise.resolve(ARCHIVE) },
    sign: ({ key }) => Promise.resolve(`https://own/${key}`),
    ...deps,
  });
  return made(job, ref, context);
}

function built(job: ResolvedJob, delivery: Delivery): FlinkCluster {
  return planCluster(job, { clusterId, jobId: jobIdFor(runId, 1), owner: ownerOf(runId), delivery });
}

/** Of the JobManager, and of what its ConfigMap has for TaskManagers. */
function podsOf({ deployment, dependents }: FlinkCluster): readonly (V1PodSpec | undefined)[] {
  const templates = dependents.find(({ metadata }) => metadata?.name === `pod-template-${clusterId}`);
  const text = (templates as { data?: Record<string, string> } | undefined)?.data?.['taskmanager-pod-template.yaml'];
  return [deployment.spec?.template.spec, (parse(text ?? '{}') as { spec?: V1PodSpec }).spec];
}

describe('a job with fastStart', () => {
  it('has the archive of its image in both kinds of pods, and its JVMs map it', async () => {
    const job = jobWith();
    const delivery = await deliver(job);
    const cluster = built(job, delivery);
    for (const pod of podsOf(cluster)) {
      const init = pod?.initContainers?.find(({ name }) => name === 'flink-dispatch-classes');
      expect(init).toMatchObject({ image: 'flink:2.3.0', securityContext: { allowPrivilegeEscalation: false } });
      expect(init?.env).toEqual([
        { name: 'JAR_URL', value: `https://own/${ARCHIVE.key}` },
        { name: 'JAR_FILE', value: '/flink-dispatch-classes/classes.tar' },
        { name: 'JAR_SHA256', value: ARCHIVE.sha256 },
        { name: 'CLASS_PATH_SUM', value: ARCHIVE.classPath },
      ]);
      const main = pod?.containers.find(({ name }) => name === 'flink-main-container');
      expect(main?.volumeMounts).toContainEqual({
        ...{ name: 'flink-dispatch-classes', mountPath: '/flink-dispatch-classes', readOnly: true },
      });
    }
    expect(delivery.fastStart).toMatchObject({ archive: ARCHIVE });
    for (const flag of MAPPED) {
      expect(delivery.fastStart?.jobManager).toContain(flag);
      expect(delivery.fastStart?.taskManager).toContain(flag);
    }
    expect(JSON.stringify(cluster.configuration)).toContain(delivery.fastStart?.jobManager.join(' '));
  });

  it('is not asked to compare what the digest of its image tells', async () => {
    const image = `flink@${ARCHIVE.imageDigest ?? ''}`;
    const { jobManager } = await deliver(jobWith({}, { 'kubernetes.container.image.ref': image }));
    expect(jobManager?.initContainers[0]?.env).toContainEqual({ name: 'CLASS_PATH_SUM', value: '' });
  });

  it('reads the URL from the Secret of its jar where it has one, but does not need it', async () => {
    const own = { ...JAR, secret: { name: 'flink-jar-x', data: { url: 'https://jar' } } };
    const { secret, taskManager } = await deliver(jobWith(), { own });
    expect(secret?.data).toEqual({ url: 'https://jar', classes: `https://own/${ARCHIVE.key}` });
    expect(taskManager?.initContainers[0]?.env?.[0]).toEqual({
      name: 'JAR_URL',
      valueFrom: { secretKeyRef: { name: 'flink-jar-x', key: 'classes', optional: true } },
    });
  });

  it('starts without an archive where there is none, or nobody can tell', async () => {
    const none = { find: () => Promise.resolve(undefined) };
    const broken = { find: () => Promise.reject(new Error('S3 is away')) };
    const warned: string[] = [];
    for (const archives of [none, broken]) {
      const delivery = await deliver(jobWith(), { archives, log: { warn: (text) => warned.push(text) } });
      expect(delivery).not.toHaveProperty('jobManager');
      expect(delivery.fastStart?.jobManager).toEqual(['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']);
    }
    expect(warned).toEqual(['no class archive was looked up']);
  });

  it('asks for that of its own tenant, target and image', async () => {
    const asked: unknown[] = [];
    const find: FastDeps['archives']['find'] = (scope) => {
      asked.push(scope);
      return Promise.resolve(undefined);
    };
    await deliver(jobWith(), { archives: { find }, context: { tenant: 'payments' } });
    expect(asked).toEqual([{ target: jobWith().target, image: 'flink:2.3.0', tenant: 'payments' }]);
  });

  it('is delivered again as it was launched, whatever there is by then', async () => {
    const launched = { jobManager: [], taskManager: [] };
    expect(await deliver(jobWith(), { context: { launched } })).not.toHaveProperty('taskManager');
    const archives = { find: () => Promise.resolve(undefined) };
    const again = await deliver(jobWith(), { archives, context: { launched: { ...launched, archive: ARCHIVE } } });
    expect(again.fastStart?.archive).toEqual(ARCHIVE);
  });

  it('is the only one: others get their jar alone', async () => {
    const { fastStart, ...job } = jobWith();
    expect([fastStart, await deliver(job)]).toEqual(['on', JAR]);
  });

  it('takes no more of a node than without', async () => {
    const { jobManager, taskManager } = await deliver(
      jobWith({}, { 'kubernetes.jobmanager.cpu.amount': '0.25', 'kubernetes.jobmanager.cpu.limit-factor': '2' }),
    );
    const limits = [jobManager, taskManager].map((parts) => parts?.initContainers[0]?.resources?.limits?.['cpu']);
    expect(limits).toEqual(['0.5', '1']);
  });
});
