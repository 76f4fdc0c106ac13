/**
 * Manifests of the shapes that the Flink Kubernetes operator's `examples` folder has, under its names: which fields they
 * use and how, with names and values of our own.
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

function sessionJob(name: string, jarURI: string): Fields {
  return {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkSessionJob',
    metadata: { name },
    spec: { deploymentName: 'team-session', job: { jarURI, parallelism: 4, upgradeMode: 'stateless' } },
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
const SLOTS = { 'taskmanager.numberOfTaskSlots': 2 };
const AUTOSCALER = { 'job.autoscaler': { enabled: true, 'stabilization.interval': '1m', 'metrics.window': '3m' } };
const ONE = { parallelism: 1, upgradeMode: 'stateless' };

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
  autoscaling: deployment('autoscaling', {
    flinkVersion: 'v1_20',
    flinkConfiguration: { ...AUTOSCALER, ...STATE, 'pipeline.max-parallelism': 24, 'jobmanager.scheduler': 'adaptive' },
    podTemplate: VOLUME,
    job: { ...JAR, upgradeMode: 'last-state', args: ['10'] },
  }),
  'flink-beam-example': deployment('beam', {
    job: {
      entryClass: 'com.example.Words',
      jarURI: 'local:///opt/flink/usrlib/beam.jar',
      args: ['--runner=FlinkRunner', '--output=file://opt/out'],
      ...ONE,
    },
  }),
  'flink-python-example': deployment('python', {
    job: {
      jarURI: 'local:///opt/flink/opt/flink-python-2.2.0.jar',
      entryClass: 'org.apache.flink.client.python.PythonDriver',
      args: ['-pyclientexec', '/usr/bin/python3', '-py', '/opt/flink/usrlib/job.py'],
      ...ONE,
    },
  }),
  'flink-sql-runner-example': deployment('sql', {
    flinkVersion: 'v1_20',
    job: { jarURI: 'local:///opt/flink/usrlib/runner.jar', args: ['/opt/flink/usrlib/simple.sql'], ...ONE },
  }),
} as const;
