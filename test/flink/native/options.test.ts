import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ClusterRequest, FlinkCluster } from '../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import { findOption, KUBERNETES_CATALOGUE } from '../../../lib/flink/options/catalogue.ts';
import { flinkRules } from '../../../lib/flink/version.ts';
import type { V1ConfigMap, V1Container, V1PodSpec, V1Service } from '@kubernetes/client-node';

interface Declared {
  readonly versions: readonly string[];
  readonly type: string;
  readonly default: string | null;
  readonly deprecated: readonly string[];
  readonly fallback: readonly string[];
}

/** Taken from KubernetesConfigOptions of 1.19.1, 1.20.0, 2.0.0, 2.1.0, 2.2.0 and 2.3.0. */
const DECLARED = JSON.parse(
  readFileSync(new URL('../../fixtures/flink/kubernetes-options.json', import.meta.url), 'utf8'),
) as Record<string, Declared>;

const TYPES: Readonly<Record<string, string>> = {
  stringType: 'String',
  intType: 'Integer',
  doubleType: 'Double',
  booleanType: 'Boolean',
  durationType: 'Duration',
  mapType: 'Map',
  'stringType.asList': 'List<String>',
  'mapType.asList': 'List<Map>',
};

const DEFAULTS: Readonly<Record<string, string>> = {
  'Duration.ofMillis(50)': '50 ms',
  'Duration.ofMinutes(1)': '1 min',
  'getDefaultFlinkImage()': 'apache/flink:<version>-scala_2.12',
};

function defaultOf(text: string | null): string | undefined {
  if (text === null) return undefined;
  return DEFAULTS[text] ?? text.replace(/^"(.*)"$/, '$1').replace(/^\w+\.(?=[A-Z])/, '');
}

describe('the catalogue', () => {
  it('has the options that Flink declares, and no other', () => {
    expect(KUBERNETES_CATALOGUE.map(({ key }) => key).sort()).toEqual(Object.keys(DECLARED).sort());
  });

  it.each(Object.entries(DECLARED))('%s is as Flink declares it', (key, declared) => {
    const entry = findOption(key);
    expect(entry?.type).toBe(declared.type.startsWith('enumType') ? 'Enum' : TYPES[declared.type]);
    expect(entry?.default).toBe(defaultOf(declared.default));
    expect(entry?.since ?? '1.19').toBe(declared.versions[0]);
    expect(entry?.until ?? '2.3').toBe(declared.versions.at(-1));
    if (!key.startsWith('kubernetes.pod-template-file.')) {
      expect([entry?.fallback ?? [], entry?.deprecated ?? []]).toEqual([declared.fallback, declared.deprecated]);
    }
  });

  it.each([
    ['kubernetes.jobmanager.labels.team', 'kubernetes.jobmanager.labels'],
    ['kubernetes.container.image', 'kubernetes.container.image.ref'],
    ['kubernetes.pod-template-file', 'kubernetes.pod-template-file.default'],
    ['containerized.master.env.HOME', 'containerized.master.env.<NAME>'],
    ['external-resource.gpu.kubernetes.config-key', 'external-resource.<resource_name>.kubernetes.config-key'],
    ['kubernetes.service-account', 'kubernetes.service-account'],
  ])('finds %s', (key, found) => {
    expect(findOption(key)?.key).toBe(found);
  });
});

const BASE = { 'kubernetes.cluster-id': 'c', 'kubernetes.container.image.ref': 'flink:1' };

function build(options: Record<string, string>, more: Partial<ClusterRequest> = {}): FlinkCluster {
  const { 'kubernetes.container.image.ref': image, ...others } = BASE;
  return buildCluster({
    flinkVersion: '2.3.0',
    mode: 'application',
    options: {
      ...others,
      ...('kubernetes.container.image' in options ? {} : { 'kubernetes.container.image.ref': image }),
      ...options,
    },
    program: { jars: ['local:///job.jar'], args: [] },
    flags: {},
    ...more,
  });
}

function pod(cluster: FlinkCluster): V1PodSpec {
  return cluster.deployment.spec?.template.spec ?? { containers: [] };
}

function main(cluster: FlinkCluster): V1Container {
  return pod(cluster).containers.at(-1) ?? { name: '' };
}

function named<T>(cluster: FlinkCluster, name: string): T | undefined {
  return cluster.dependents.find(({ metadata }) => metadata?.name === name) as T | undefined;
}

const labels = (cluster: FlinkCluster) => cluster.deployment.metadata?.labels;
const rest = (cluster: FlinkCluster) => named<V1Service>(cluster, 'c-rest');
const internal = (cluster: FlinkCluster) => named<V1Service>(cluster, 'c');
const env = (name: string) => (cluster: FlinkCluster) => main(cluster).env?.find((one) => one.name === name);
const mount = (path: string) => (cluster: FlinkCluster) =>
  main(cluster).volumeMounts?.find(({ mountPath }) => mountPath === path)?.name;
const HA = { 'high-availability.type': 'kubernetes' };
const template = (cluster: FlinkCluster) =>
  named<V1ConfigMap>(cluster, 'pod-template-c')?.data?.['taskmanager-pod-template.yaml'];

interface Row {
  readonly set: Record<string, string>;
  readonly read: (cluster: FlinkCluster) => unknown;
  readonly expected: unknown;
  readonly without?: unknown;
  readonly more?: Partial<ClusterRequest>;
}

/** One row for each option that acts on the objects. */
const ROWS: Readonly<Record<string, Row>> = {
  'kubernetes.cluster-id': {
    set: { 'kubernetes.cluster-id': 'd' },
    read: (c) => c.deployment.metadata?.name,
    expected: 'd',
    without: 'c',
  },
  'kubernetes.namespace': {
    set: { 'kubernetes.namespace': 'n' },
    read: (c) => [c.namespace, c.configuration['jobmanager.rpc.address']],
    expected: ['n', 'c.n'],
    without: ['default', 'c.default'],
  },
  'kubernetes.container.image.ref': {
    set: { 'kubernetes.container.image': 'old' },
    read: (c) => main(c).image,
    expected: 'old',
    without: 'flink:1',
  },
  'kubernetes.container.image.pull-policy': {
    set: { 'kubernetes.container.image.pull-policy': 'never' },
    read: (c) => main(c).imagePullPolicy,
    expected: 'Never',
    without: 'IfNotPresent',
  },
  'kubernetes.container.image.pull-secrets': {
    set: { 'kubernetes.container.image.pull-secrets': ' a; ;b' },
    read: (c) => pod(c).imagePullSecrets,
    expected: [{ name: 'a' }, { name: 'b' }],
  },
  'kubernetes.entry.path': {
    set: { 'kubernetes.entry.path': '/e' },
    read: (c) => main(c).command,
    expected: ['/e'],
    without: ['/docker-entrypoint.sh'],
  },
  'kubernetes.jobmanager.entrypoint.args': {
    set: { 'kubernetes.jobmanager.entrypoint.args': '-Da=b' },
    read: (c) => main(c).args?.[2],
    expected: 'kubernetes-jobmanager.sh kubernetes-application -Da=b',
    without: 'kubernetes-jobmanager.sh kubernetes-application ',
  },
  'kubernetes.flink.conf.dir': {
    set: { 'kubernetes.flink.conf.dir': '/c' },
    read: mount('/c'),
    expected: 'flink-config-volume',
  },
  'kubernetes.flink.log.dir': {
    set: { 'kubernetes.flink.log.dir': '/l' },
    read: env('FLINK_LOG_DIR'),
    expected: { name: 'FLINK_LOG_DIR', value: '/l' },
  },
  'kubernetes.service-account': {
    set: { 'kubernetes.service-account': 's' },
    read: (c) => pod(c).serviceAccountName,
    expected: 's',
    without: 'default',
  },
  'kubernetes.jobmanager.service-account': {
    set: { 'kubernetes.service-account': 's', 'kubernetes.jobmanager.service-account': 'j' },
    read: (c) => pod(c).serviceAccount,
    expected: 'j',
    without: 'default',
  },
  'kubernetes.jobmanager.owner.reference': {
    set: { 'kubernetes.jobmanager.owner.reference': 'ApiVersion:v1,kind:K,name:n,uid:u,controller:TRUE' },
    read: (c) => c.deployment.metadata?.ownerReferences,
    expected: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'u', controller: true }],
  },
  'kubernetes.jobmanager.replicas': {
    set: { 'kubernetes.jobmanager.replicas': '2', ...HA },
    read: (c) => c.deployment.spec?.replicas,
    expected: 2,
    without: 1,
  },
  'kubernetes.jobmanager.cpu.amount': {
    set: { 'kubernetes.jobmanager.cpu': '2' },
    read: (c) => main(c).resources?.requests?.['cpu'],
    expected: '2.0',
    without: '1.0',
  },
  'kubernetes.jobmanager.cpu.limit-factor': {
    set: { 'kubernetes.jobmanager.cpu.limit-factor': '1.5' },
    read: (c) => main(c).resources?.limits?.['cpu'],
    expected: '1.5',
    without: '1.0',
  },
  'kubernetes.jobmanager.memory.limit-factor': {
    set: { 'kubernetes.jobmanager.memory.limit-factor': '1.3333' },
    read: (c) => main(c).resources?.limits?.['memory'],
    expected: '2133Mi',
    without: '1600Mi',
  },
  'kubernetes.jobmanager.labels': {
    set: { 'kubernetes.jobmanager.labels': 'a:b,app:mine' },
    read: labels,
    expected: { a: 'b', app: 'c', component: 'jobmanager', type: 'flink-native-kubernetes' },
    without: { app: 'c', component: 'jobmanager', type: 'flink-native-kubernetes' },
  },
  'kubernetes.jobmanager.annotations': {
    set: { 'kubernetes.jobmanager.annotations.a/b': 'c' },
    read: (c) => c.deployment.spec?.template.metadata?.annotations,
    expected: { 'a/b': 'c' },
  },
  'kubernetes.jobmanager.node-selector': {
    set: { 'kubernetes.jobmanager.node-selector': '{a: 1}' },
    read: (c) => pod(c).nodeSelector,
    expected: { a: '1' },
  },
  'kubernetes.jobmanager.tolerations': {
    set: { 'kubernetes.jobmanager.tolerations': 'key:a,Operator:Exists,tolerationSeconds:3,other:x' },
    read: (c) => pod(c).tolerations,
    expected: [{ key: 'a', operator: 'Exists', tolerationSeconds: 3 }],
  },
  'kubernetes.pod-template-file.default': {
    set: { 'kubernetes.pod-template-file': '/t' },
    read: template,
    expected: 'metadata:  {}\n',
    more: { podTemplates: { common: {} }, podTemplateTexts: { common: 'metadata:  {}\n' } },
  },
  'kubernetes.pod-template-file.jobmanager': {
    set: { 'kubernetes.pod-template-file.jobmanager': '/j' },
    read: (c) => [pod(c).priorityClassName, template(c)],
    expected: ['high', undefined],
    without: [undefined, undefined],
    more: { podTemplates: { jobManager: { spec: { containers: [], priorityClassName: 'high' } } } },
  },
  'kubernetes.pod-template-file.taskmanager': {
    set: { 'kubernetes.pod-template-file.taskmanager': '/t' },
    read: template,
    expected: 'apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    a: b\n',
    more: { podTemplates: { taskManager: { metadata: { labels: { a: 'b' } } } } },
  },
  'kubernetes.hostnetwork.enabled': {
    set: { 'kubernetes.hostnetwork.enabled': 'true' },
    read: (c) => [pod(c).hostNetwork, pod(c).dnsPolicy, main(c).ports?.length],
    expected: [true, 'ClusterFirstWithHostNet', undefined],
    without: [undefined, 'ClusterFirst', 3],
  },
  'kubernetes.secrets': { set: { 'kubernetes.secrets': 'a:/a' }, read: mount('/a'), expected: 'a-volume' },
  'kubernetes.env.secretKeyRef': {
    set: { 'kubernetes.env.secretKeyRef': 'env:A,secret:s,key:k' },
    read: env('A'),
    expected: { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
  },
  'kubernetes.persistent-volume-claims': {
    set: { 'kubernetes.persistent-volume-claims': 'a.b:/a' },
    read: mount('/a'),
    expected: 'a-b-pvc',
  },
  'kubernetes.persistent-volume-claim-read-only': {
    set: { 'kubernetes.persistent-volume-claims': 'a:/a', 'kubernetes.persistent-volume-claim-read-only': 'true' },
    read: (c) => pod(c).volumes?.find(({ name }) => name === 'a-pvc')?.persistentVolumeClaim,
    expected: { claimName: 'a', readOnly: true },
  },
  'kubernetes.hadoop.conf.config-map.name': {
    set: { 'kubernetes.hadoop.conf.config-map.name': ' h ' },
    read: (c) => pod(c).volumes?.find(({ name }) => name === 'hadoop-config-volume')?.configMap,
    expected: { name: 'h' },
  },
  'kubernetes.decorator.hadoop-conf-mount.enabled': {
    set: { 'kubernetes.hadoop.conf.config-map.name': 'h', 'kubernetes.decorator.hadoop-conf-mount.enabled': 'false' },
    read: mount('/opt/hadoop/conf'),
    expected: undefined,
  },
  'kubernetes.decorator.kerberos-mount.enabled': {
    set: { 'security.kerberos.krb5-conf.path': '/k', 'kubernetes.decorator.kerberos-mount.enabled': 'false' },
    read: mount('/etc/krb5.conf'),
    expected: undefined,
  },
  'kubernetes.rest-service.exposed.type': {
    set: { 'kubernetes.rest-service.exposed.type': 'headless_clusterip' },
    read: (c) => [rest(c)?.spec?.type, rest(c)?.spec?.clusterIP],
    expected: ['ClusterIP', 'None'],
    without: ['ClusterIP', undefined],
  },
  'kubernetes.rest-service.annotations': {
    set: { 'kubernetes.rest-service.annotations': 'a:b' },
    read: (c) => rest(c)?.metadata?.annotations,
    expected: { a: 'b' },
  },
  'kubernetes.rest-service.labels': {
    set: { 'kubernetes.rest-service.labels': 'app:mine' },
    read: (c) => rest(c)?.metadata?.labels?.['app'],
    expected: 'mine',
    without: 'c',
  },
  'kubernetes.internal-service.annotations': {
    set: { 'kubernetes.internal-service.annotations': 'a:b' },
    read: (c) => internal(c)?.metadata?.annotations,
    expected: { a: 'b' },
  },
  'kubernetes.internal-service.labels': {
    set: { 'kubernetes.internal-service.labels': 'a:b' },
    read: (c) => internal(c)?.metadata?.labels?.['a'],
    expected: 'b',
  },
};

describe('every option that acts on the objects', () => {
  it('has a row', () => {
    const acting = KUBERNETES_CATALOGUE.filter(({ subject }) => subject === 'objects').map(({ key }) => key);
    expect(Object.keys(ROWS).sort()).toEqual(acting.sort());
  });

  it.each(Object.entries(ROWS))('%s', (_key, { set, read, expected, without, more }) => {
    expect(read(build({}))).toEqual(without);
    expect(read(build(set, more))).toEqual(expected);
  });
});

describe('every other option', () => {
  const others = KUBERNETES_CATALOGUE.filter(({ subject, type }) => subject !== 'objects' && type === 'String');
  const plain = (cluster: FlinkCluster) =>
    JSON.stringify([cluster.deployment, cluster.dependents.filter(({ kind }) => kind !== 'ConfigMap')]);

  it.each(others.map(({ key }) => [key]))('%s changes the configuration at most', (key) => {
    const cluster = build({ [key]: 'x' });
    expect(plain(cluster)).toBe(plain(build({})));
    expect(cluster.configuration[key]).toBe(key === 'kubernetes.config.file' ? undefined : 'x');
  });
});

describe('options that a version does not know', () => {
  it.each([
    ['1.19.1', 'kubernetes.internal-service.annotations', internal],
    ['2.1.0', 'kubernetes.internal-service.labels', internal],
    ['2.1.0', 'kubernetes.rest-service.labels', rest],
    ['2.2.0', 'kubernetes.persistent-volume-claims', pod],
  ])('%s: %s', (flinkVersion, key, read) => {
    const value = key.endsWith('claims') ? 'a:/a' : 'a:b';
    expect(read(build({ [key]: value }, { flinkVersion }))).toEqual(read(build({}, { flinkVersion })));
  });
});

describe('versions', () => {
  it.each(['1.18.1', '1.21.0', '3.0.0', 'latest', ''])('refuses %s', (version) => {
    expect(() => flinkRules(version)).toThrow(/is not one of 1.19 to 2.3/);
  });

  it.each(['1.19', '1.20.3', '2.0.0', '2.3.1-SNAPSHOT'])('takes %s', (version) => {
    expect(flinkRules(version).warning).toBeUndefined();
  });

  it('takes a later 2.x, and says so', () => {
    expect(flinkRules('2.4.0').warning).toContain('newer than 2.3');
  });
});
