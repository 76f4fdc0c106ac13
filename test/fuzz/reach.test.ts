import { readFileSync } from 'node:fs';
import type { V1Container, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import { finishCluster, type FinishedCluster } from '../../lib/flink/finished.ts';
import { clusterRequest } from '../../lib/job/cluster-request.ts';
import { planCluster } from '../../lib/dispatch/plan-cluster.ts';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';
import { recommendedLabels } from '../../lib/flink/recommended-labels.ts';
import { readConfiguration } from '../../lib/flink/config/files.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { ResolvedJob } from '../../lib/job/job.ts';
import { prepareRun } from '../../lib/job/prepare.ts';
import { sessionJobOptions } from '../../lib/job/session.ts';
import { parseQuantity } from '../../lib/job/spec/quantity.ts';
import { storedJobsIn } from '../../lib/job/spec/stored-jobs.ts';
import { jarFixture, MemoryObjects } from '../job/jar/memory-objects.ts';
import { holds } from './hold.ts';
import { ownerOf } from '../fakes/ids.ts';

/*
 * Whatever a spec says: what is built of it stays in the deployment's bounds. The bounds are read off the objects, as a
 * Kubernetes that got them would, and not off the rules that are under test.
 */
const DEPLOYMENT = parseDispatchConfig(`
targets: { default: { namespace: flink, namespaces: [flink-batch], access: { kind: in-cluster } } }
defaults: { flinkVersion: '2.3', image: 'flink:2.3.0', serviceAccount: flink }
sessions: { small: {} }
allow:
  images: ['team/*']
  serviceAccounts: [flink-reader]
  jarBuckets: [jars]
  jarUriSchemes: [local, s3, https]
  jarUriHosts: [repo.example.com]
  secrets: ['job-*']
  persistentVolumeClaims: [scratch]
  maxResources: { cpu: 4, memory: 8g, parallelism: 16, taskManagers: 8 }
`);

const CATALOGUE = JSON.parse(
  readFileSync(new URL('../fixtures/flink/kubernetes-options.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const KEYS = [
  ...[
    'kubernetes.secrets.root-secret',
    'kubernetes.jobmanager.annotations.iam.amazonaws.com/role',
    'kubernetes.taskmanager.cpu',
  ],
  ...[
    'taskmanager.cpu.cores',
    'slotmanager.max-total-resource.cpu',
    'kubernetes.taskmanager.labels.a/b',
    'kubernetes.taskmanager.node-selector.a',
    'taskmanager.heap.size',
  ],
  ...Object.keys(CATALOGUE).filter((key) => !key.includes('<')),
  ...['pipeline.jars', 'execution.target', '$internal.application.main', 'env.java.opts.all', 'pipeline.classpaths'],
  ...['containerized.master.env.LD_PRELOAD', 'security.ssl.rest.truststore', 'kubernetes.container.image'],
  ...['kubernetes.pod-template-file', 's3.secret-key', 'kubernetes.client.user-agent', 'user.artifacts.http-headers'],
];

const hostileText = fc.constantFrom(
  '{root-secret: /mnt}',
  '{"\\x72oot-secret": /mnt}',
  '[{env: A, secret: root-secret, key: k}]',
  '[{operator: Exists}]',
  '{iam.amazonaws.com/role: admin}',
  'node-role.kubernetes.io/control-plane:true',
  'kubernetes.io/arch:arm64',
  '512',
  '5e2',
  '1t',
  '1',
  '1500m',
  'ClusterIP',
  'evil/image:1',
  'team/flink:2',
  'cluster-admin',
  'flink-reader',
  'kube-system',
  'root-secret:/mnt/a',
  'job-secret:/mnt/a',
  'job-a:/a;root-secret:/b',
  'env:A,secret:root-secret,key:k',
  'env:A,secret:job-a,key:k;env:B,Secret : root-secret ,key:k',
  'iam.amazonaws.com/role:admin',
  'eks.amazonaws.com/role-arn:x',
  '/etc/kubernetes/admin.conf',
  'true',
  'TRUE',
  '999',
  '64g',
  'LoadBalancer',
  'a\nkubernetes.container.image.ref: evil/image:1',
  'a\r\nkubernetes.config.file: /etc/passwd',
  "a'\nkubernetes.namespace: kube-system\n#",
  'root-claim:/mnt',
  'apiVersion:v1,kind:Pod,name:a,uid:b',
);
const variedKey = fc
  .tuple(fc.constantFrom(...KEYS), fc.constantFrom('', ' ', '\t', '\n', ': x\n'), fc.boolean())
  .map(([key, space, before]) => (before ? space + key : key + space));
const options = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: variedKey }),
  hostileText,
  { maxKeys: 3 },
);

const volume = fc.constantFrom<Record<string, unknown>>(
  { name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '64Gi' } },
  { name: 'v', configMap: { name: 'flink-config-other' } },
  { name: 'v', ephemeral: { volumeClaimTemplate: { spec: { volumeName: 'other' } } } },
  { name: 'v', hostPath: { path: '/' } },
  { name: 'v', emptyDir: {} },
  { name: 'v', secret: { secretName: 'root-secret' } },
  { name: 'v', secret: { secretName: 'job-a' } },
  { name: 'v', persistentVolumeClaim: { claimName: 'scratch' } },
  { name: 'v', persistentVolumeClaim: { claimName: 'other' } },
  { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
  { name: 'v', projected: { sources: [{ secret: { name: 'root-secret' } }] } },
  { name: 'v', csi: { driver: 'x' } },
  { name: 'v', nfs: { server: 'x', path: '/' } },
);
const securityContext = fc.constantFrom(
  {},
  { privileged: true },
  { capabilities: { add: ['SYS_ADMIN'] } },
  { runAsUser: 0 },
  { runAsUser: 9999 },
  { allowPrivilegeEscalation: true },
  { procMount: 'Unmasked' },
  { seccompProfile: { type: 'Unconfined' } },
  { windowsOptions: { hostProcess: true } },
);
const container = fc.record(
  {
    name: fc.constantFrom('flink-main-container', 'side'),
    image: fc.constantFrom('evil/image:1', 'team/side:1'),
    securityContext,
    env: fc.constantFrom(
      [{ name: 'A', valueFrom: { secretKeyRef: { name: 'root-secret', key: 'k' } } }],
      [{ name: 'A', valueFrom: { secretKeyRef: { name: 'job-a', key: 'k' } } }],
      [{ name: 'A', value: 'b' }],
    ),
    envFrom: fc.constantFrom([{ secretRef: { name: 'root-secret' } }], [{ configMapRef: { name: 'a' } }]),
    ports: fc.constantFrom([{ containerPort: 1, hostPort: 1 }], [{ containerPort: 1 }]),
    resources: fc.constantFrom({ limits: { cpu: '64' } }, { requests: { memory: '1Gi' } }),
    volumeMounts: fc.constantFrom([{ name: 'v', mountPath: '/m', mountPropagation: 'Bidirectional' }]),
  },
  { requiredKeys: ['name'] },
);
const podTemplate = fc.record(
  {
    metadata: fc.constantFrom(
      { finalizers: ['a/b'] },
      { labels: { 'a/b': 'c' } },
      { annotations: { 'x/y': 'z' } },
      { name: 'n' },
    ),
    spec: fc.record(
      {
        containers: fc.array(container, { maxLength: 2 }),
        initContainers: fc.array(container, { maxLength: 1 }),
        volumes: fc.array(volume, { maxLength: 2 }),
        hostNetwork: fc.boolean(),
        hostPID: fc.boolean(),
        hostIPC: fc.boolean(),
        serviceAccountName: fc.constantFrom('cluster-admin', 'flink-reader'),
        nodeName: fc.constantFrom('control-plane'),
        imagePullSecrets: fc.constantFrom([{ name: 'root-secret' }], [{ name: 'job-a' }]),
        securityContext,
        ephemeralContainers: fc.array(container, { maxLength: 1 }),
        resourceClaims: fc.constantFrom([{ name: 'a', resourceClaimName: 'b' }]),
        terminationGracePeriodSeconds: fc.constantFrom(30, 99_999),
        tolerations: fc.constantFrom([{ operator: 'Exists' }]),
        nodeSelector: fc.constantFrom({ 'kubernetes.io/arch': 'arm64' }, { 'node-role.kubernetes.io/master': '' }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['spec'] },
);
const jarURI = fc.oneof(
  { weight: 8, arbitrary: fc.constant('local:///opt/flink/usrlib/a.jar') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'https://repo.example.com/a.jar',
      'https://169.254.169.254/latest/meta-data',
      'https://repo.example.com@evil.example/a.jar',
      'https://repo.example.com.evil.example/a.jar',
      'https://evil.example/repo.example.com/a.jar',
      'http://repo.example.com/a.jar',
      'file:///etc/passwd',
      'local:///../../etc/passwd',
      's3://other/a.jar',
      'ftp://repo.example.com/a.jar',
    ),
  },
);
const component = fc.record(
  {
    podTemplate,
    replicas: fc.constantFrom(1, 500),
    resource: fc.record({ cpu: fc.constantFrom(1, 64), memory: fc.constantFrom('2g', '500g') }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const fields = {
  mode: fc.constantFrom('application', 'standalone'),
  name: fc.constantFrom('orders', '../../x', 'kube-system/a'),
  namespace: fc.constantFrom('kube-system', 'flink', 'flink-batch', 'flink/../kube-system'),
  image: fc.constantFrom('evil/image:1', 'team/flink:2.3'),
  flinkVersion: fc.constantFrom('1.19', '1.20', '2.3'),
  serviceAccount: fc.constantFrom('cluster-admin', 'flink-reader'),
  flinkConfiguration: options,
  podTemplate,
  jobManager: component,
  taskManager: component,
  job: fc.record({ jarURI, parallelism: fc.constantFrom(1, 500) }, { requiredKeys: ['jarURI'] }),
  logConfiguration: fc.constantFrom({ 'log4j-console.properties': 'a\nb' }),
};

/** One accepted in a few hundred would prove little: specs take one or two of these, not all. */
const fewFields: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.subarray(['name', 'namespace', 'image', 'serviceAccount', 'flinkConfiguration', 'logConfiguration'] as const, {
      maxLength: 1,
    }),
    fc.subarray(['podTemplate', 'jobManager', 'taskManager', 'flinkVersion', 'mode'] as const, { maxLength: 2 }),
  )
  .chain(([first, more]) =>
    fc.record(Object.fromEntries((['job', ...first, ...more] as const).map((key) => [key, fields[key]]))),
  );

async function prepare(asked: Record<string, unknown>): Promise<ResolvedJob> {
  const objects = new MemoryObjects().put('jars/a.jar', jarFixture('main-class'));
  const source = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' } as const;
  const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment: DEPLOYMENT };
  return (await prepareRun({ source, identity: 'i', spec: asked }, deps, 0)).job;
}

async function build(asked: Record<string, unknown>): Promise<{ cluster: FlinkCluster; finished: FinishedCluster }> {
  const job = await prepare(asked);
  const runId = runIdFor('i');
  const purpose = { clusterId: clusterIdFor(job.name, runId, 1), jobId: jobIdFor(runId, 1) };
  const marks = { labels: {}, annotations: {} };
  const request = clusterRequest(job, { ...purpose, jarUri: job.jar.uri, marks });
  return {
    cluster: planCluster(job, { ...purpose, owner: ownerOf(runId), delivery: { jarUri: job.jar.uri } }),
    finished: finishCluster(request, job.mode === 'standalone' ? 'standalone' : 'native'),
  };
}

function staysInBounds({ cluster, finished }: Awaited<ReturnType<typeof build>>): void {
  const namespaces = [
    cluster.namespace,
    ...[cluster.deployment, ...cluster.dependents].map((o) => o.metadata?.namespace),
  ];
  for (const namespace of namespaces) expect(['flink', 'flink-batch', undefined]).toContain(namespace);
  for (const template of [cluster.deployment.spec?.template ?? {}, finished.jobManager, finished.taskManager]) {
    markStaysInBounds(template.metadata ?? {});
    podStaysInBounds(template.spec ?? { containers: [] });
  }
  configurationStaysInBounds(cluster);
  const { replicas } = cluster.deployment.spec ?? {};
  expect(replicas).toBeLessThanOrEqual(5);
}

/** Flink's own labels, those that Kubernetes recommends, and not one annotation. */
function markStaysInBounds({ labels = {}, annotations = {}, ...others }: V1ObjectMeta): void {
  expect(Object.keys(others)).toEqual([]);
  expect(Object.keys(annotations)).toEqual([]);
  const known = ['app', 'component', 'type', ...Object.keys(recommendedLabels('c', 'jobmanager'))];
  expect(known).toEqual(expect.arrayContaining(Object.keys(labels)));
}

/** No resource but these, for all containers together. */
function amountsStayInBounds(containers: readonly V1Container[]): void {
  const totals = { cpu: 0, memory: 0, 'ephemeral-storage': 0 };
  for (const { resources = {} } of containers) {
    for (const [name, text] of Object.entries({ ...resources.requests, ...resources.limits })) {
      expect(Object.keys(totals)).toContain(name);
      totals[name as keyof typeof totals] += parseQuantity(String(text)) ?? Infinity;
    }
  }
  expect(totals.cpu).toBeLessThanOrEqual(4);
  expect(totals.memory).toBeLessThanOrEqual(8 * 2 ** 30);
}

function podStaysInBounds(pod: V1PodSpec): void {
  amountsStayInBounds(pod.containers);
  expect(pod.containers.length + (pod.initContainers?.length ?? 0)).toBeLessThanOrEqual(8);
  expect(pod.terminationGracePeriodSeconds ?? 0).toBeLessThanOrEqual(300);
  expect(pod.tolerations ?? []).toEqual([]);
  for (const key of Object.keys(pod.nodeSelector ?? {})) expect(key).toBe('kubernetes.io/arch');
  const all = [...(pod.containers ?? []), ...(pod.initContainers ?? [])];
  for (const one of all) containerStaysInBounds(one);
  expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).not.toContain(true);
  expect(['flink', 'flink-reader', undefined]).toContain(pod.serviceAccountName);
  expect(pod).not.toHaveProperty('nodeName');
  expect(pod).not.toHaveProperty('ephemeralContainers');
  expect(pod).not.toHaveProperty('resourceClaims');
  for (const { name } of pod.imagePullSecrets ?? []) expect(name).toMatch(/^job-/);
  for (const { name, ...source } of pod.volumes ?? []) {
    const text = JSON.stringify(source);
    expect(text, name).not.toMatch(/hostPath|csi|nfs|serviceAccountToken|root-secret|other/);
    if (source.secret !== undefined) expect(source.secret.secretName).toMatch(/^job-/);
  }
  securityStaysInBounds(pod.securityContext);
}

function containerStaysInBounds({ image, env, envFrom, ports, securityContext, resources }: V1Container): void {
  if (image !== undefined) expect(image).toMatch(/^(flink:2\.3\.0|team\/[^/]*)$/);
  const secrets = JSON.stringify([env, envFrom]).matchAll(/"secret(?:KeyRef|Ref)":\{[^}]*"name":"([^"]*)"/g);
  for (const [, name] of secrets) expect(name).toMatch(/^job-/);
  expect(JSON.stringify(ports ?? [])).not.toContain('hostPort');
  expect(Number.parseFloat(String(resources?.limits?.['cpu'] ?? 1))).toBeLessThanOrEqual(4);
  securityStaysInBounds(securityContext);
}

function securityStaysInBounds(context: object | undefined): void {
  expect(JSON.stringify(context ?? {})).not.toMatch(
    /"privileged":true|SYS_ADMIN|"runAsUser":0|"allowPrivilegeEscalation":true|Unmasked|Unconfined|hostProcess/,
  );
}

/** A standalone JobManager is told of its jar by its arguments. */
function jarOfArguments({ deployment, dependents }: FlinkCluster): string | undefined {
  const args = deployment.spec?.template.spec?.containers.flatMap((one) => one.args ?? []) ?? [];
  const jars = args[args.indexOf('--jars') + 1];
  const remote = dependents.flatMap((one) => ('data' in one ? Object.entries(one.data as object) : []));
  const found: unknown = remote.find(([key]) => key === 'FLINK_DISPATCH_JARS')?.[1] ?? jars;
  return typeof found === 'string' ? found : undefined;
}

/** The file as Flink in the pod reads it, and not the map that it was written from. */
function configurationStaysInBounds(cluster: FlinkCluster): void {
  const files = cluster.dependents.flatMap((object) => {
    const data = ('data' in object ? object.data : {}) as Record<string, string>;
    const conf = Object.entries(data).filter(([name]) => name === 'config.yaml' || name === 'flink-conf.yaml');
    return conf.length === 0 ? [] : [Object.fromEntries(conf)];
  });
  expect(files).toHaveLength(1);
  for (const file of files) {
    const legacy = 'flink-conf.yaml' in file;
    const read = readConfiguration(file, legacy ? '1.19' : '2.3');
    for (const key of ['kubernetes.config.file', 'kubernetes.context', 'kubernetes.hadoop.conf.config-map.name'])
      expect(read).not.toHaveProperty([key]);
    expect(['flink', 'flink-batch']).toContain(read['kubernetes.namespace']);
    expect(read['kubernetes.container.image.ref'] ?? 'flink:2.3.0').toMatch(/^(flink:2\.3\.0|team\/[^/]*)$/);
    expect(read['kubernetes.cluster-id']).toBe(cluster.clusterId);
    expect(read['pipeline.jars'] ?? jarOfArguments(cluster)).toMatch(
      /^\[?['"]?(local:\/\/\/|https:\/\/repo\.example\.com\/|s3:\/\/jars\/)/,
    );
    expect(read['s3.secret-key']).toBeUndefined();
    expect(read['slotmanager.max-total-resource.cpu']).toBeUndefined();
    const slots = Number(read['taskmanager.numberOfTaskSlots'] ?? 1);
    expect(Number(read['slotmanager.number-of-slots.max'])).toBeLessThanOrEqual(8 * slots);
    for (const account of ['', 'jobmanager.', 'taskmanager.'])
      expect(['flink', 'flink-reader', 'default', undefined]).toContain(read[`kubernetes.${account}service-account`]);
  }
}

/** The session is the deployment's, whatever the job says; with its jar goes nothing of a cluster's. */
function sessionStaysInBounds(job: ResolvedJob, honest: ResolvedJob): void {
  if (job.mode !== 'session' || honest.mode !== 'session') throw new Error('no job in a session');
  expect(job.session).toEqual(honest.session);
  expect(['flink', 'flink-batch']).toContain(job.namespace);
  expect(job.notify).toEqual([]);
  for (const key of Object.keys(sessionJobOptions(job))) {
    expect(key).not.toMatch(/^(kubernetes|security|env|containerized|(\$)?internal|user\.artifacts)[.-]/);
    expect(['execution.target', 'pipeline.jars', 'pipeline.classpaths', 's3.secret-key']).not.toContain(key);
  }
}

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20_000);
/** A spec takes some 12 ms of a processor that others may use as well. */
const LONG = 20 * 60_000;

describe('the reach of a spec', () => {
  it(
    'is what the allow-list allows, in every object that is made of it',
    async () => {
      let built = 0;
      await holds(
        fewFields,
        async (asked) => {
          const all = await build(asked);
          built += 1;
          staysInBounds(all);
        },
        RUNS,
      );
      // What refuses everything proves nothing.
      expect(built).toBeGreaterThan(RUNS / 20);
    },
    LONG,
  );

  it(
    'ends at the session of a job that runs in one',
    async () => {
      const inSession = { mode: 'session', session: { pool: 'small' } };
      const jar = { jarURI: 's3://jars/a.jar' };
      const honest = await prepare({ ...inSession, job: jar });
      let accepted = 0;
      await holds(
        fewFields,
        async ({ job, ...asked }) => {
          const resolved = await prepare({ ...asked, ...inSession, job: { ...(job as object), ...jar } });
          accepted += 1;
          sessionStaysInBounds(resolved, honest);
        },
        RUNS / 10,
      );
      expect(accepted).toBeGreaterThan(RUNS / 200);
    },
    LONG,
  );
});
