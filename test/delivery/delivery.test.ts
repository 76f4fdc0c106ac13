import type { V1ConfigMap, V1Container, V1PodSpec, V1PodTemplateSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { clusterIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import { NO_ARCHIVES } from '../../lib/delivery/classes/archives.ts';
import { createDelivery } from '../../lib/delivery/create-delivery.ts';
import type { Delivery } from '../../lib/delivery/delivery.ts';
import { planCluster } from '../../lib/dispatch/plan-cluster.ts';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { Jar, PinnedJar, ResolvedJob } from '../../lib/job/job.ts';
import { ownerOf } from '../fakes/ids.ts';

const NOW = 1_000_000;
const MINUTE = 60_000;
const runId = runIdFor('x');
const clusterId = clusterIdFor('job', runId, 1);
const ref = { namespace: 'flink', clusterId };
const pinned: PinnedJar = {
  bucket: 'own',
  key: `jars/sha256/${'a'.repeat(64)}/word.jar`,
  sha256: 'a'.repeat(64),
  size: 1,
};
const JAR: Jar = { uri: 's3://in/jobs/word.jar', s3: { bucket: 'in', key: 'jobs/word.jar', eTag: 'e' }, pinned };

function jobWith(more: object = {}, options: Readonly<Record<string, string>> = {}): ResolvedJob {
  return {
    ...{ name: 'job', mode: 'application', target: 'default', namespace: 'flink', flinkVersion: '2.3', jar: JAR },
    options: { 'kubernetes.container.image.ref': 'flink:2.3.0-java17', ...options },
    ...{ podTemplates: {}, entryClass: 'a.B', args: [], kind: 'batch', deadlines: { start: MINUTE } },
    ...{ retry: { attempts: 1, backoff: MINUTE }, afterEnd: { keepCluster: 'never', ttl: MINUTE }, notify: [] },
    ...more,
  };
}

interface Made {
  readonly delivery: Delivery;
  readonly cluster: FlinkCluster;
}

async function make(jarDelivery: string, job: ResolvedJob): Promise<Made> {
  const { targets } = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster }, jarDelivery: ${jarDelivery} } }`);
  const deliver = createDelivery(
    { targets },
    {
      sign: ({ bucket, key }, ttl) => Promise.resolve(`https://${bucket}/${key}?ttl=${ttl}`),
      clock: { now: () => NOW },
      archives: NO_ARCHIVES,
      bundle: () => Promise.reject(new Error('no target bundles')),
    },
  );
  const delivery = await deliver(job, ref);
  const cluster = planCluster(job, { clusterId, jobId: jobIdFor(runId, 1), owner: ownerOf(runId), delivery });
  return { delivery, cluster };
}

function podOf({ deployment }: FlinkCluster): V1PodSpec {
  const pod = deployment.spec?.template.spec;
  if (pod === undefined) throw new Error('no pod');
  return pod;
}

const mainOf = (cluster: FlinkCluster): V1Container | undefined =>
  podOf(cluster).containers.find(({ name }) => name === 'flink-main-container');

describe('fetch', () => {
  it('gives Flink a signed URL of the pinned bytes, and is renewed in its ConfigMap', async () => {
    const { delivery, cluster } = await make('{ kind: fetch, urlTtl: 30m }', jobWith());
    const jarUri = `https://own/${pinned.key}?ttl=${30 * MINUTE}`;
    expect(delivery).toEqual({ jarUri, renewAt: NOW + 10 * MINUTE });
    expect(cluster.configuration['pipeline.jars']).toEqual([jarUri]);
  });

  it('relies upon no URL for more than a quarter of an hour: credentials end, too', async () => {
    const { delivery } = await make('{ kind: fetch, urlTtl: 7d }', jobWith());
    expect(delivery.renewAt).toBe(NOW + 15 * MINUTE);
  });

  it('leaves a jar of the image and of a web server to Flink', async () => {
    for (const uri of ['local:///opt/flink/usrlib/a.jar', 'https://repo/a.jar']) {
      expect((await make('{ kind: fetch }', jobWith({ jar: { uri } }))).delivery).toEqual({ jarUri: uri });
    }
  });

  it('promises no sum that Flink does not check', async () => {
    const jar: Jar = { uri: 'https://repo/a.jar', sha256: 'b'.repeat(64) };
    const refused = make('{ kind: fetch }', jobWith({ jar }));
    await expect(refused).rejects.toMatchObject({ reason: 'InvalidSpec', field: 'job.jarSha256' });
    const { cluster } = await make('{ kind: mount }', jobWith({ jar }));
    expect(podOf(cluster).initContainers?.[0]?.env).toContainEqual({ name: 'JAR_SHA256', value: 'b'.repeat(64) });
  });

  it('has Flink read from S3 with the plugin of that very version', async () => {
    const { cluster } = await make('{ kind: fetch, s3Plugin: presto }', jobWith());
    expect(cluster.configuration['pipeline.jars']).toEqual([`s3://own/${pinned.key}`]);
    expect(mainOf(cluster)?.env).toContainEqual({
      name: 'ENABLE_BUILT_IN_PLUGINS',
      value: 'flink-s3-fs-presto-2.3.0.jar',
    });
  });

  it('adds its plugin to others, and leaves one that the job chose', async () => {
    const key = 'containerized.master.env.ENABLE_BUILT_IN_PLUGINS';
    const added = await make(
      '{ kind: fetch, s3Plugin: hadoop }',
      jobWith({}, { [key]: 'flink-gs-fs-hadoop-2.3.0.jar' }),
    );
    expect(added.delivery.options).toEqual({ [key]: 'flink-gs-fs-hadoop-2.3.0.jar;flink-s3-fs-hadoop-2.3.0.jar' });
    const own = await make('{ kind: fetch, s3Plugin: hadoop }', jobWith({}, { [key]: 'flink-s3-fs-x-2.3.1.jar' }));
    expect(own.delivery.options).toEqual({});
  });

  it.each(['registry:5000/team/flink', 'flink@sha256:abc', 'flink:latest', 'flink:2.3'])(
    'refuses %s, which does not tell the plugin',
    async (image) => {
      const job = jobWith({}, { 'kubernetes.container.image.ref': image });
      const key = 'flinkConfiguration["containerized.master.env.ENABLE_BUILT_IN_PLUGINS"]';
      const refused = make('{ kind: fetch, s3Plugin: hadoop }', job);
      await expect(refused).rejects.toMatchObject({ reason: 'InvalidConfiguration', field: key });
    },
  );
});

describe('a Python program', () => {
  const PY: Jar = { uri: 's3://in/a.py', s3: { bucket: 'in', key: 'a.py' }, pinned: { ...pinned, key: 'jars/a.py' } };

  it('is mounted, and runs without a jar', async () => {
    const { cluster } = await make('{ kind: mount }', jobWith({ jar: PY, args: ['--day', '1'] }));
    expect(cluster.configuration).toMatchObject({
      '$internal.application.main': 'org.apache.flink.client.python.PythonDriver',
      '$internal.application.program-args': ['--python', '/opt/flink/usrlib/a.py', '--day', '1'],
    });
    expect(cluster.configuration).not.toHaveProperty('pipeline.jars');
  });

  it('is read from S3 by the plugin, and never from a URL: Flink fetches none for Python', async () => {
    const { cluster } = await make('{ kind: fetch, s3Plugin: hadoop }', jobWith({ jar: PY }));
    expect(cluster.configuration['$internal.application.program-args']).toEqual(['--python', 's3://own/jars/a.py']);
    const field = 'job.jarURI';
    await expect(make('{ kind: fetch }', jobWith({ jar: PY }))).rejects.toMatchObject({ reason: 'InvalidSpec', field });
    const ofWeb = jobWith({ jar: { uri: 'https://repo/a.py' } });
    await expect(make('{ kind: fetch }', ofWeb)).rejects.toMatchObject({ reason: 'InvalidSpec', field });
  });
});

it('an SQL script is read from its signed URL', async () => {
  const jar: Jar = {
    uri: 's3://in/a.sql',
    s3: { bucket: 'in', key: 'a.sql' },
    pinned: { ...pinned, key: 'jars/a.sql' },
  };
  const { delivery, cluster } = await make('{ kind: fetch }', jobWith({ jar }));
  expect(cluster.configuration['$internal.application.program-args']).toEqual(['--scriptUri', delivery.jarUri]);
});

describe('mount', () => {
  it('downloads into usrlib before the JobManager starts, from a Secret that the Deployment owns', async () => {
    const { delivery, cluster } = await make('{ kind: mount, urlTtl: 30m }', jobWith());
    const url = `https://own/${pinned.key}?ttl=${30 * MINUTE}`;
    const name = `flink-jar-${clusterId}`;
    expect(delivery.renewAt).toBe(NOW + 10 * MINUTE);
    expect(cluster.configuration['pipeline.jars']).toEqual(['local:///opt/flink/usrlib/word.jar']);
    expect(podOf(cluster).initContainers).toMatchObject([
      {
        image: 'flink:2.3.0-java17',
        env: [
          { name: 'JAR_URL', valueFrom: { secretKeyRef: { name, key: 'url' } } },
          { name: 'JAR_FILE', value: '/flink-dispatch/word.jar' },
          { name: 'JAR_SHA256', value: pinned.sha256 },
        ],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ]);
    expect(mainOf(cluster)?.volumeMounts).toContainEqual({
      ...{ name: 'flink-dispatch-jar', mountPath: '/opt/flink/usrlib/word.jar', subPath: 'word.jar', readOnly: true },
    });
    const secret = cluster.dependents.find(({ kind }) => kind === 'Secret');
    expect(secret).toMatchObject({
      metadata: { name, namespace: 'flink', ownerReferences: [{ kind: 'Deployment', name: clusterId }] },
      data: { url: Buffer.from(url).toString('base64') },
    });
  });

  it('has the URL nowhere but in the Secret, and nothing of the job in a script', async () => {
    const { cluster } = await make('{ kind: mount }', jobWith());
    const rest = { ...cluster, dependents: cluster.dependents.filter(({ kind }) => kind !== 'Secret') };
    expect(JSON.stringify(rest)).not.toContain('https://own');
    const [container] = podOf(cluster).initContainers ?? [];
    expect(JSON.stringify(container?.command)).not.toContain('word');
  });

  it("keeps the job's own pod template, and is not part of the TaskManagers'", async () => {
    const template: V1PodTemplateSpec = {
      spec: {
        initContainers: [{ name: 'own' }],
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'flink-main-container',
            securityContext: { runAsUser: 9999 },
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          },
        ],
      },
    };
    const job = jobWith({ podTemplates: { jobManager: template, taskManager: template } });
    const { cluster } = await make('{ kind: mount, image: "tools:1" }', job);
    const [first, second] = podOf(cluster).initContainers ?? [];
    expect(first).toMatchObject({ image: 'tools:1', securityContext: { runAsUser: 9999 } });
    expect(second?.name).toBe('own');
    expect(mainOf(cluster)?.volumeMounts).toContainEqual({ name: 'v', mountPath: '/v' });
    const maps = cluster.dependents.filter(({ kind }) => kind === 'ConfigMap') as V1ConfigMap[];
    const ofTaskManagers = maps.find(({ metadata }) => metadata?.name === `pod-template-${clusterId}`);
    expect(JSON.stringify(ofTaskManagers?.data)).toContain('own');
    expect(JSON.stringify(ofTaskManagers?.data)).not.toContain('flink-dispatch-jar');
  });

  it('leaves a jar of the image, and downloads one of a web server, whose URL does not end', async () => {
    const local = 'local:///opt/flink/usrlib/a.jar';
    expect((await make('{ kind: mount }', jobWith({ jar: { uri: local } }))).delivery).toEqual({ jarUri: local });
    const { delivery } = await make('{ kind: mount }', jobWith({ jar: { uri: 'https://repo/x/a%20b.jar?v=1' } }));
    expect(delivery).toMatchObject({ jarUri: 'local:///opt/flink/usrlib/a_20b.jar' });
    expect(delivery.secret?.data).toEqual({ url: 'https://repo/x/a%20b.jar?v=1' });
    expect(delivery.renewAt).toBeUndefined();
  });
});

it.each([
  ['{ kind: mount, urlTtl: 8d }', 'jarDelivery.urlTtl'],
  ['{ kind: mount, urlTtl: 5s }', 'jarDelivery.urlTtl'],
  ['{ kind: fetch, image: x }', 'jarDelivery.image'],
  ['{ kind: copy }', 'jarDelivery.kind'],
])('%s is refused', async (jarDelivery, field) => {
  const refused = make(jarDelivery, jobWith());
  await expect(refused).rejects.toMatchObject({ field: `targets.default.${field}` });
});
