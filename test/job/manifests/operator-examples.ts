/**
 * Manifests of the shapes that the Flink Kubernetes operator's `examples` folder has at 6e9caeb (July 2026), under the names of its
 * files: which fields they use and how, with names and values of our own.
 */
const RESOURCES = { requests: { memory: '2048m', cpu: '1' } };
const COMPONENTS = { jobManager: { resources: RESOURCES }, taskManager: { resources: RESOURCES } };
const JAR = { jarURI: 'local:///opt/flink/usrlib/machine.jar', parallelism: 2 };

type Fields = Record<string, unknown>;

function deployment(name: string, spec: Fields): Fields {
  return {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name },
    spec: { image: 'flink:2.2', flinkVersion: 'v2_2', serviceAccount: 'flink', ...COMPONENTS, ...spec },
  };
}

function sessionJob(name: string, jarURI: string, flinkConfiguration?: Fields): Fields {
  return {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkSessionJob',
    metadata: { name },
    spec: {
      deploymentName: 'team-session',
      job: { jarURI, parallelism: 4, upgradeMode: 'stateless' },
      ...(flinkConfiguration && { flinkConfiguration }),
    },
  };
}

const STATE = {
  state: { 'savepoints.dir': 'file:///data/savepoints', 'checkpoints.dir': 'file:///data/checkpoints' },
  'high-availability': { type: 'kubernetes', storageDir: 'file:///data/ha' },
};
const VOLUME = {
  spec: {
    containers: [{ name: 'flink-main-container', volumeMounts: [{ mountPath: '/data', name: 'data' }] }],
    volumes: [{ name: 'data', hostPath: { path: '/srv/flink', type: 'Directory' } }],
  },
};
const STORES = { keystore: '/tls/keystore.jks', truststore: '/tls/truststore.jks' };
const PASSWORDS = { 'keystore-password': 'p', 'truststore-password': 'p', 'key-password': 'p' };
const STORED = { ...STORES, ...PASSWORDS };
const SECRETS = { 'kubernetes.secrets': 'team-cert:/tls' };
const TLS = {
  'security.ssl': { internal: { enabled: true, ...STORED }, rest: { enabled: 'true', ...STORED } },
  ...SECRETS,
};
const SLOTS = { 'taskmanager.numberOfTaskSlots': 2 };
const AUTOSCALER = { 'job.autoscaler': { enabled: true, 'stabilization.interval': '1m', 'metrics.window': '3m' } };
const ONE = { parallelism: 1, upgradeMode: 'stateless' };

function other(apiVersion: string, kind: string, spec: Fields, name = 'other'): Fields {
  return { apiVersion, kind, metadata: { name }, spec };
}

function snapshot(spec: Fields): Fields {
  return other('flink.apache.org/v1beta1', 'FlinkStateSnapshot', spec);
}

const REFERENCE = { backoffLimit: 0, jobReference: { kind: 'FlinkDeployment', name: 'orders' } };
const SAVED = 'file:///data/savepoints/savepoint-1234';

export const EXAMPLES = {
  'advanced-ingress': deployment('advanced', {
    ingress: { template: '/{{namespace}}/{{name}}(/|$)(.*)', className: 'nginx', annotations: { a: 'b' } },
    flinkConfiguration: SLOTS,
    job: JAR,
  }),
  'basic-checkpoint-ha': deployment('checkpoints', {
    flinkConfiguration: { ...SLOTS, ...STATE, 'kubernetes.operator.savepoint.format.type': 'NATIVE' },
    podTemplate: VOLUME,
    job: { ...JAR, upgradeMode: 'savepoint', state: 'running', savepointTriggerNonce: 0 },
  }),
  'basic-ingress': deployment('ingress', { ingress: { template: '{{name}}.example.com' }, job: JAR }),
  'basic-reactive': deployment('reactive', {
    mode: 'standalone',
    flinkConfiguration: { 'scheduler-mode': 'REACTIVE', ...SLOTS, ...STATE },
    podTemplate: VOLUME,
    job: { ...JAR, upgradeMode: 'savepoint', state: 'running', savepointTriggerNonce: 0 },
  }),
  'basic-session-deployment-and-job': [
    deployment('team-session', {}),
    sessionJob('first', 'https://repo.example.com/windows.jar'),
    sessionJob('second', 'https://repo.example.com/machine.jar'),
  ],
  'basic-session-deployment-only': deployment('team-session', { flinkConfiguration: SLOTS }),
  'basic-session-job-only': sessionJob('first', 'https://repo.example.com/windows.jar'),
  basic: deployment('basic', { flinkConfiguration: SLOTS, job: { ...JAR, upgradeMode: 'stateless' } }),
  canary: {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name: 'canary', labels: { 'flink.apache.org/canary': 'true' } },
  },
  'custom-logging': deployment('logging', {
    flinkConfiguration: SLOTS,
    job: { ...JAR, upgradeMode: 'stateless' },
    logConfiguration: { 'log4j-console.properties': 'rootLogger.level = DEBUG\n' },
  }),
  'pod-template': deployment('templates', {
    flinkConfiguration: SLOTS,
    podTemplate: {
      spec: {
        containers: [
          { name: 'flink-main-container', volumeMounts: [{ mountPath: '/opt/flink/downloads', name: 'downloads' }] },
          { name: 'shipper', image: 'fluent/fluent-bit:3.1', command: ['sh', '-c', 'tail'] },
        ],
        volumes: [{ name: 'downloads', emptyDir: {} }],
      },
    },
    jobManager: {
      resources: RESOURCES,
      podTemplate: {
        spec: { initContainers: [{ name: 'download', image: 'busybox:1.36', command: ['/bin/sh', '-c', 'wget x'] }] },
      },
    },
    job: { jarURI: 'local:///opt/flink/downloads/job.jar', entryClass: 'com.example.Machine', parallelism: 2 },
  }),
  'autoscaling/autoscaling': deployment('autoscaling', {
    flinkVersion: 'v1_20',
    flinkConfiguration: { ...AUTOSCALER, ...STATE, 'pipeline.max-parallelism': 24, 'jobmanager.scheduler': 'adaptive' },
    podTemplate: VOLUME,
    job: { ...JAR, upgradeMode: 'last-state', args: ['10'] },
  }),
  'autoscaling/autoscaling-dynamic': deployment('dynamic', {
    flinkVersion: 'v1_20',
    flinkConfiguration: { ...AUTOSCALER, 'pipeline.max-parallelism': 32, ...SLOTS },
    podTemplate: { spec: { containers: [{ name: 'flink-main-container' }] } },
    job: { ...JAR, entryClass: 'com.example.Load', ...ONE, args: ['--load "1;2;\\n4"'] },
  }),
  'flink-tls-example/basic-secure': deployment('secure', {
    flinkConfiguration: { ...SLOTS, 'security.ssl': { enabled: 'true', ...STORED }, ...SECRETS },
    job: { ...JAR, upgradeMode: 'stateless' },
  }),
  'flink-tls-example/basic-secure-deployment-only': deployment('team-session', { flinkConfiguration: TLS }),
  'flink-tls-example/basic-secure-session-job-only': sessionJob('secure', 'https://repo.example.com/windows.jar', TLS),
  'flink-tls-example/pre-install': [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password' }, type: 'Opaque', data: { password: 'cA==' } },
    other('cert-manager.io/v1', 'Issuer', { selfSigned: {} }),
    other('cert-manager.io/v1', 'Certificate', { commonName: 'team', secretName: 'team-cert' }),
  ],
  'hpa/basic-hpa': other('autoscaling/v2', 'HorizontalPodAutoscaler', {
    minReplicas: 1,
    maxReplicas: 3,
    scaleTargetRef: { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', name: 'basic' },
  }),
  'kustomize/conf-override/patch': other('apps/v1', 'Deployment', {
    template: { spec: { containers: [{ name: 'flink-kubernetes-operator', env: [{ name: 'A', value: '/a' }] }] } },
  }),
  'kustomize/sidecar/patch': other('apps/v1', 'Deployment', {
    template: { spec: { containers: [{ name: 'shipper', image: 'fluent/fluent-bit:3.1' }] } },
  }),
  'snapshot/checkpoint': snapshot({ ...REFERENCE, checkpoint: {} }),
  'snapshot/savepoint-already-exists': snapshot({
    savepoint: { alreadyExists: true, disposeOnDelete: false, path: SAVED },
  }),
  'snapshot/savepoint-job-defaults': snapshot({ ...REFERENCE, savepoint: {} }),
  'snapshot/savepoint-job-full-spec': snapshot({
    ...REFERENCE,
    savepoint: { formatType: 'CANONICAL', path: '/data/saved' },
  }),
  'snapshot/job-from-savepoint': [
    snapshot({ savepoint: { alreadyExists: true, path: SAVED } }),
    deployment('from-savepoint', {
      flinkConfiguration: { state: STATE.state },
      podTemplate: VOLUME,
      job: { ...JAR, upgradeMode: 'savepoint', initialSavepointPath: SAVED },
    }),
  ],
  'flink-beam-example/beam-example': deployment('beam', {
    job: {
      entryClass: 'com.example.Words',
      jarURI: 'local:///opt/flink/usrlib/beam.jar',
      args: ['--runner=FlinkRunner', '--output=file://opt/out'],
      ...ONE,
    },
  }),
  'flink-python-example/python-example': deployment('python', {
    job: {
      jarURI: 'local:///opt/flink/opt/flink-python-2.2.0.jar',
      entryClass: 'org.apache.flink.client.python.PythonDriver',
      args: ['-pyclientexec', '/usr/bin/python3', '-py', '/opt/flink/usrlib/job.py'],
      ...ONE,
    },
  }),
  'flink-sql-runner-example/sql-example': deployment('sql', {
    flinkVersion: 'v1_20',
    job: { jarURI: 'local:///opt/flink/usrlib/runner.jar', args: ['/opt/flink/usrlib/simple.sql'], ...ONE },
  }),
} as const;
