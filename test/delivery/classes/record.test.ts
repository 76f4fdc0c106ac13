import type { V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { clusterIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { s3ClassArchives } from '../../../lib/delivery/classes/archives.ts';
import { takeIn, uploadUrls, type RecordDeps } from '../../../lib/delivery/classes/record.ts';
import { warmUpCluster } from '../../../lib/delivery/classes/warm-up.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import type { PinnedJar } from '../../../lib/job/job.ts';
import { FakeS3 } from '../../fakes/s3.ts';

const clusterId = clusterIdFor('warm', runIdFor('x'), 1);
const SUM = 'a'.repeat(64);
const PINNED: PinnedJar = { bucket: 'own', key: `jars/sha256/${SUM}/flink.jsa.jar`, sha256: SUM, size: 7 };
const SAID = { sha256: SUM, size: 7, classPath: 'b'.repeat(64), java: '17.0.15' };
const SCOPE = { target: 'default', image: 'flink:2.3.0' };
const DIGEST = `sha256:${'c'.repeat(64)}`;

function open(): RecordDeps & { readonly report: (text: string) => Promise<unknown> } {
  const { s3 } = new FakeS3().bucket;
  const archives = s3ClassArchives({ s3, bucket: 'own', keep: () => Promise.resolve() });
  return {
    ...{ s3, bucket: 'own', archives },
    sign: ({ key }) => Promise.resolve(`https://own/${key}`),
    pin: (jar) => Promise.resolve({ ...jar, pinned: PINNED }),
    report: (Body) => {
      const Key = `jars/incoming/classes-${clusterId}/report.json`;
      return s3.send(new PutObjectCommand({ Bucket: 'own', Key, Body }));
    },
  };
}

describe('what a pod has recorded', () => {
  it('is kept as that of its image, for those alone who asked for it', async () => {
    const deps = open();
    expect(await takeIn(SCOPE, { clusterId }, deps)).toBeUndefined();
    await deps.report(JSON.stringify(SAID));
    const archive = await takeIn(SCOPE, { clusterId, imageDigest: DIGEST }, deps);
    expect(archive).toEqual({ ...PINNED, classPath: SAID.classPath, java: '17.0.15', imageDigest: DIGEST });
    const archives = s3ClassArchives({ s3: deps.s3, bucket: 'own', keep: () => Promise.resolve() });
    expect(await archives.find(SCOPE)).toEqual(archive);
    for (const other of [{ target: 'eu' }, { image: 'flink:2.3.1' }, { tenant: 'payments' }])
      expect(await archives.find({ ...SCOPE, ...other })).toBeUndefined();
  });

  it.each([
    ['{"error":"the image has no curl"}', 'the image has no curl'],
    ['{"sha256":"x"}', 'it reports nothing that can be read'],
    ['', 'it reports nothing that can be read'],
    [JSON.stringify({ ...SAID, sha256: 'd'.repeat(64) }), 'what arrived is not what was recorded'],
    [JSON.stringify({ ...SAID, size: 2 ** 40 }), 'it reports nothing that can be read'],
  ])('is not kept where it says %s', async (text, why) => {
    const deps = open();
    await deps.report(text);
    await expect(takeIn(SCOPE, { clusterId }, deps)).rejects.toThrow(why);
  });

  it('is none where somebody wrote it for bytes of another bucket', async () => {
    const deps = open();
    await deps.archives.write(SCOPE, { ...PINNED, ...SAID, bucket: 'theirs' });
    const archives = s3ClassArchives({ s3: deps.s3, bucket: 'own', keep: () => Promise.resolve() });
    expect(await archives.find(SCOPE)).toBeUndefined();
  });
});

describe('the pod that records', () => {
  it('is that of the JobManager, with the script in place of Flink, and its URLs in a Secret', async () => {
    const cluster = buildCluster({
      ...{ flinkVersion: '2.3', mode: 'session' },
      options: {
        ...{ 'kubernetes.cluster-id': clusterId, 'kubernetes.container.image.ref': 'flink:2.3.0' },
        'execution.target': 'kubernetes-session',
        'kubernetes.jobmanager.node-selector': 'disk:ssd',
        'kubernetes.service-account': 'flink',
      },
    });
    const { deployment, dependents } = warmUpCluster(cluster, '2.3', await uploadUrls(clusterId, open()));
    const pod = deployment.spec?.template.spec as V1PodSpec;
    expect(pod).toMatchObject({ nodeSelector: { disk: 'ssd' }, serviceAccountName: 'flink' });
    expect(JSON.stringify(pod)).not.toContain('flink-config');
    const [main] = pod.containers;
    expect(main).toMatchObject({ image: 'flink:2.3.0' });
    expect(main?.env).toContainEqual({ name: 'IMAGE', value: 'flink:2.3.0' });
    expect(JSON.stringify(deployment)).not.toContain('https://own');
    expect(dependents).toHaveLength(1);
    expect(dependents[0]).toMatchObject({ kind: 'Secret', metadata: { name: `flink-classes-${clusterId}` } });
  });
});
