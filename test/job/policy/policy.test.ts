import { describe, expect, it } from 'vitest';
import { isRecord } from '../../../lib/core/json.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import type { JobSession, ResolvedJob } from '../../../lib/job/job.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { MemoryObjects } from '../jar/memory-objects.ts';
import { writeZip } from '../jar/zip-writer.ts';

const DEPLOYMENT = `
targets:
  default: { namespace: flink, namespaces: [flink-batch], access: { kind: in-cluster } }
defaults: { flinkVersion: '2.3', image: 'flink:2.3.0', serviceAccount: flink }
allow:
  images: ['registry.example.com/team/*']
  serviceAccounts: [flink-reader]
  jarBuckets: [jars]
  jarUriSchemes: [local, s3, https]
  jarUriHosts: [repo.example.com, '*.maven.example.com']
  secrets: ['job-*']
  persistentVolumeClaims: [scratch]
  notify: ['arn:aws:sns:eu-central-1:111122223333:*']
`;

const JAR = { jarURI: 'local:///opt/flink/usrlib/a.jar' };

function request(spec: Record<string, unknown>): RunRequest {
  const own = isRecord(spec['job']) ? spec['job'] : {};
  return {
    source: { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' },
    identity: 'i',
    spec: { ...spec, job: { ...JAR, ...own } },
  };
}

function prepare(spec: Record<string, unknown>, deployment: DispatchConfig = parseDispatchConfig(DEPLOYMENT)) {
  const manifest = {
    name: 'META-INF/MANIFEST.MF',
    content: Buffer.from('Main-Class: a.B\n'),
    streamed: false,
    stored: true,
  };
  const objects = new MemoryObjects().put('jars/a.jar', writeZip([manifest]));
  return prepareRun(request(spec), { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment }, 0);
}

const pod = (spec: Record<string, unknown>) => ({ podTemplate: { spec } });
const container = (fields: Record<string, unknown>) =>
  pod({ containers: [{ name: 'flink-main-container', ...fields }] });
const option = (key: string, value = 'x') => ({ flinkConfiguration: { [key]: value } });

function sessionOf(job: ResolvedJob): JobSession {
  if (job.mode !== 'session') throw new Error('it has no session');
  return job.session;
}

describe('a job in a session', () => {
  const inSession = (session: Record<string, unknown>, more: Record<string, unknown> = {}, deployment = DEPLOYMENT) => {
    const spec = { mode: 'session', session, job: { jarURI: 's3://jars/a.jar', entryClass: 'a.B' }, ...more };
    return prepare(spec, parseDispatchConfig(deployment));
  };
  const opened = `${DEPLOYMENT}  sessions: ['team-*']\nsessions: { small: { taskManager: { resource: { memory: 2g } } } }\n`;

  it('goes into those that the deployment names, and into its pools', async () => {
    const { job } = await inSession(
      { clusterId: 'team-a' },
      { image: 'x' },
      opened.replace("images: ['", "images: [x, '"),
    );
    expect(job).toMatchObject({ session: { clusterId: 'team-a' } });
    expect(job.notes).toEqual(['image has no effect in mode session: the session has its own']);
    const pool = sessionOf((await inSession({ pool: 'small' }, {}, opened)).job);
    expect(pool).toMatchObject({
      clusterId: expect.stringMatching(/^small-[0-9a-f]{8}$/) as string,
      pool: { name: 'small', idleAfter: 600_000, flinkVersion: '2.3' },
    });
    expect(pool.pool?.options).toMatchObject({ 'taskmanager.memory.process.size': '2g' });
    expect(pool.pool?.options).not.toHaveProperty('pipeline.name');
    const changed = await inSession({ pool: 'small' }, {}, opened.replace('memory: 2g', 'memory: 3g'));
    expect(sessionOf(changed.job).clusterId).not.toBe(pool.clusterId);
  });

  it.each([
    [{ clusterId: 'their-session' }, 'session.clusterId', 'NotAllowed'],
    [{ clusterId: 'Team-a' }, 'session.clusterId', 'InvalidName'],
    [{ pool: 'big' }, 'session.pool', 'InvalidSpec'],
    [{}, 'session', 'InvalidSpec'],
    [{ clusterId: 'team-a', pool: 'small' }, 'session', 'InvalidSpec'],
  ])('%o is refused', async (session, field, reason) => {
    await expect(inSession(session, {}, opened)).rejects.toMatchObject({ field, reason });
  });

  it('stays in the namespaces of its target, and brings a jar that can be uploaded', async () => {
    const session = { clusterId: 'team-a' };
    await expect(inSession(session, { namespace: 'kube-system' }, opened)).rejects.toMatchObject({
      field: 'namespace',
    });
    await expect(inSession(session, { job: JAR }, opened)).rejects.toMatchObject({ field: 'job.jarURI' });
  });
});

describe('what a hostile spec may not have', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ namespace: 'kube-system' }, 'namespace'],
    [{ image: 'evil/flink:latest' }, 'image'],
    [option('kubernetes.container.image', 'evil/flink'), 'image'],
    [option('kubernetes.container.image.ref', 'evil/flink'), 'image'],
    [{ serviceAccount: 'cluster-admin' }, 'serviceAccount'],
    [option('kubernetes.service-account', 'cluster-admin'), 'serviceAccount'],
    [
      option('kubernetes.taskmanager.service-account', 'cluster-admin'),
      'flinkConfiguration["kubernetes.taskmanager.service-account"]',
    ],
    ...[
      'kubernetes.namespace',
      'kubernetes.cluster-id',
      'kubernetes.config.file',
      'kubernetes.context',
      'kubernetes.pod-template-file',
      'kubernetes.pod-template-file.default',
      'kubernetes.pod-template-file.taskmanager',
      'kubernetes.artifacts.local-upload-enabled',
      'kubernetes.jobmanager.owner.reference',
      'kubernetes.hadoop.conf.config-map.name',
      'kubernetes.hostnetwork.enabled',
      'kubernetes.entry.path',
      'kubernetes.jobmanager.entrypoint.args',
      'kubernetes.rest-service.exposed.type',
      'kubernetes.persistent-volume-claims',
      'kubernetes.container.image.pull-secrets',
      'security.kerberos.login.keytab',
      'env.java.opts.jobmanager',
      'containerized.master.env.LD_PRELOAD',
      'pipeline.classpaths',
      'pipeline.jars',
      'execution.target',
      '$internal.pipeline.job-id',
      'user.artifacts.artifact-list',
      's3.secret-key',
      's3.access-key',
      'metrics.reporter.x.apiKey',
    ].map((key): [Record<string, unknown>, string] => [option(key), `flinkConfiguration[${JSON.stringify(key)}]`]),
    [
      { flinkConfiguration: { kubernetes: { config: { file: '/etc/passwd' } } } },
      'flinkConfiguration["kubernetes.config.file"]',
    ],
    [option('kubernetes.secrets', 'job-a:/etc/a,other:/etc/b'), 'flinkConfiguration["kubernetes.secrets"]'],
    [
      option('kubernetes.env.secretKeyRef', 'env:A,secret:other,key:k'),
      'flinkConfiguration["kubernetes.env.secretKeyRef"]',
    ],
    [
      option('kubernetes.jobmanager.annotations', 'iam.amazonaws.com/role:admin'),
      'flinkConfiguration["kubernetes.jobmanager.annotations"]',
    ],
    [pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }), 'podTemplate.spec.volumes[0].hostPath'],
    [pod({ volumes: [{ name: 'v', nfs: { server: 'x', path: '/' } }] }), 'podTemplate.spec.volumes[0].nfs'],
    [pod({ volumes: [{ name: 'v', secret: { secretName: 'other' } }] }), 'podTemplate.spec.volumes[0].secret'],
    [
      pod({ volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 'other' } }] } }] }),
      'podTemplate.spec.volumes[0].projected.sources[0].secret',
    ],
    [
      pod({ volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] }),
      'podTemplate.spec.volumes[0].projected.sources[0].serviceAccountToken',
    ],
    [
      pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'other' } }] }),
      'podTemplate.spec.volumes[0].persistentVolumeClaim',
    ],
    [pod({ hostNetwork: true }), 'podTemplate.spec.hostNetwork'],
    [pod({ hostPID: true }), 'podTemplate.spec.hostPID'],
    [pod({ hostIPC: 'true' }), 'podTemplate.spec.hostIPC'],
    [pod({ serviceAccountName: 'cluster-admin' }), 'podTemplate.spec.serviceAccountName'],
    [pod({ serviceAccount: 'cluster-admin' }), 'podTemplate.spec.serviceAccount'],
    [pod({ nodeName: 'control-plane' }), 'podTemplate.spec.nodeName'],
    [pod({ priorityClassName: 'system-node-critical' }), 'podTemplate.spec.priorityClassName'],
    [pod({ ephemeralContainers: [] }), 'podTemplate.spec.ephemeralContainers'],
    [pod({ imagePullSecrets: [{ name: 'other' }] }), 'podTemplate.spec.imagePullSecrets'],
    [pod({ securityContext: { runAsUser: 0 } }), 'podTemplate.spec.securityContext.runAsUser'],
    [pod({ securityContext: { sysctls: [] } }), 'podTemplate.spec.securityContext.sysctls'],
    [pod({ initContainers: [{ name: 'i', image: 'evil' }] }), 'podTemplate.spec.initContainers[0].image'],
    [container({ securityContext: { privileged: true } }), 'podTemplate.spec.containers[0].securityContext.privileged'],
    [
      container({ securityContext: { allowPrivilegeEscalation: true } }),
      'podTemplate.spec.containers[0].securityContext.allowPrivilegeEscalation',
    ],
    [
      container({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
      'podTemplate.spec.containers[0].securityContext.capabilities.add',
    ],
    [
      container({ securityContext: { procMount: 'Unmasked' } }),
      'podTemplate.spec.containers[0].securityContext.procMount',
    ],
    [container({ ports: [{ containerPort: 1, hostPort: 1 }] }), 'podTemplate.spec.containers[0].ports'],
    [
      container({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
      'podTemplate.spec.containers[0].livenessProbe',
    ],
    [
      container({ volumeMounts: [{ name: 'v', mountPath: '/x', mountPropagation: 'Bidirectional' }] }),
      'podTemplate.spec.containers[0].volumeMounts',
    ],
    [container({ volumeDevices: [] }), 'podTemplate.spec.containers[0].volumeDevices'],
    [
      container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }] }),
      'podTemplate.spec.containers[0].env',
    ],
    [container({ envFrom: [{ secretRef: { name: 'other' } }] }), 'podTemplate.spec.containers[0].env'],
    [container({ resources: { limits: { cpu: '64' } } }), 'podTemplate.spec.containers[0].resources.limits.cpu'],
    [{ taskManager: { podTemplate: { spec: { hostNetwork: true } } } }, 'taskManager.podTemplate.spec.hostNetwork'],
    [
      { podTemplate: { metadata: { annotations: { 'iam.amazonaws.com/role': 'admin' } } } },
      'podTemplate.metadata.annotations',
    ],
    [{ taskManager: { resource: { cpu: 9 } } }, 'taskManager.resource.cpu'],
    [option('kubernetes.taskmanager.cpu.limit-factor', '100'), 'taskManager.resource.cpu'],
    [option('taskmanager.numberOfTaskSlots', '64'), 'taskManager.resource.cpu'],
    [{ jobManager: { resource: { memory: '33g' } } }, 'jobManager.resource.memory'],
    [option('taskmanager.memory.process.size', '64g'), 'taskManager.resource.memory'],
    [{ job: { parallelism: 129 } }, 'job.parallelism'],
    [{ job: { parallelism: 64 } }, 'taskManager.replicas'],
    [{ jobManager: { replicas: 6 }, ...option('high-availability.type', 'kubernetes') }, 'jobManager.replicas'],
    [{ notify: ['https://sqs.eu-central-1.amazonaws.com/999999999999/theirs'] }, 'notify'],
    [{ job: { jarURI: 's3://other/a.jar' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://evil.example.com/a.jar' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://169.254.169.254/latest/meta-data/' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://[::ffff:169.254.169.254]/a.jar' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://2852039166/a.jar' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://repo.example.com:8443/a.jar' } }, 'job.jarURI'],
    [{ job: { jarURI: 'https://repo.example.com.evil.com/a.jar' } }, 'job.jarURI'],
  ])('%j', async (spec, field) => {
    const begins = expect.stringContaining(field) as string;
    await expect(prepare(spec)).rejects.toMatchObject({ reason: 'NotAllowed', field: begins });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [option('kubernetes.secrets'), 'InvalidConfiguration', 'kubernetes.secrets'],
    [option('taskmanager.memory.task.heap.size', '64g'), 'InvalidConfiguration', 'taskmanager.memory.process.size'],
    [option('jobmanager.memory.process.size', 'a lot'), 'InvalidConfiguration', 'jobmanager.memory.process.size'],
    [{ job: { jarURI: 'http://repo.example.com/a.jar' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'file:///etc/passwd' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: '/etc/passwd' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'local:///opt/flink/../../etc/a.jar' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'local:///opt/%2e%2e/a.jar' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'https://user:pw@repo.example.com/a.jar' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'https://repo.example.com\\@evil.com/a.jar' } }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 's3://jars/a.jar\r\nx: y' } }, 'InvalidSpec', 'job.jarURI'],
    [{ name: '../../etc' }, 'InvalidName', 'name'],
    [{ name: 'Upper' }, 'InvalidName', 'name'],
    [{ name: 'a'.repeat(46) }, 'InvalidName', 'name'],
    [{ name: '' }, 'InvalidName', 'name'],
    [{ target: '__proto__' }, 'UnknownTarget', 'target'],
    [{ target: 'toString' }, 'UnknownTarget', 'target'],
    [
      option('taskmanager.numberOfTaskSlots', '0') && {
        taskManager: { replicas: 2 },
        ...option('taskmanager.numberOfTaskSlots', '0'),
      },
      'InvalidConfiguration',
      'taskmanager.numberOfTaskSlots',
    ],
  ])('%j gives %s', async (spec, reason, field) => {
    await expect(prepare(spec)).rejects.toMatchObject({ reason, field });
  });
});

describe('what an honest spec may have', () => {
  it.each<[Record<string, unknown>]>([
    [{ namespace: 'flink-batch', image: 'registry.example.com/team/job:1', serviceAccount: 'flink-reader' }],
    [{ image: 'flink:2.3.0', serviceAccount: 'flink' }],
    [option('kubernetes.secrets', 'job-a:/etc/a,job-b:/etc/b')],
    [option('kubernetes.env.secretKeyRef', 'env:A,secret:job-a,key:k;env:B,secret:job-b,key:k')],
    [option('state.backend.type', 'rocksdb')],
    [
      pod({
        nodeSelector: { 'kubernetes.io/arch': 'arm64' },
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 's', persistentVolumeClaim: { claimName: 'scratch' } },
        ],
      }),
    ],
    [
      container({
        env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'job-a', key: 'k' } } }],
        securityContext: { runAsUser: 9999, allowPrivilegeEscalation: false },
      }),
    ],
    [{ notify: ['arn:aws:sns:eu-central-1:111122223333:ours'] }],
    [{ job: { jarURI: 'https://repo.example.com/a.jar' } }],
    [{ job: { jarURI: 'https://eu.maven.example.com/a.jar' } }],
  ])('%j', async (spec) => {
    await expect(prepare(spec)).resolves.toHaveProperty('job.name');
  });

  it('holds for options of the deployment itself, and not for a change of them', async () => {
    const deployment = parseDispatchConfig(
      DEPLOYMENT.replace(
        'serviceAccount: flink }',
        "serviceAccount: flink, flinkConfiguration: { env.java.opts.all: '-Dx=1' } }",
      ),
    );
    const { job } = await prepare({}, deployment);
    expect(job.options['env.java.opts.all']).toBe('-Dx=1');
    await expect(prepare(option('env.java.opts.all', '-javaagent:/evil.jar'), deployment)).rejects.toMatchObject({
      reason: 'NotAllowed',
    });
  });

  it('lets the deployment allow and deny options, but never reserved ones', async () => {
    const deployment = parseDispatchConfig(
      `${DEPLOYMENT}  options: { allow: ['env.java.*', 'kubernetes.*'], deny: ['state.*'] }\n`,
    );
    await expect(prepare(option('env.java.opts.all', '-Xmx1g'), deployment)).resolves.toHaveProperty('job');
    await expect(prepare(option('state.backend.type', 'rocksdb'), deployment)).rejects.toMatchObject({
      reason: 'NotAllowed',
    });
    await expect(prepare(option('kubernetes.config.file'), deployment)).rejects.toMatchObject({ reason: 'NotAllowed' });
  });

  it('holds a program that sets its own parallelism to the allowed TaskManagers', async () => {
    const { job } = await prepare(option('taskmanager.numberOfTaskSlots', '2'));
    expect(job.options['slotmanager.number-of-slots.max']).toBe('64');
    const capped = await prepare({ flinkConfiguration: { 'slotmanager.number-of-slots.max': '9999' } });
    expect(capped.job.options['slotmanager.number-of-slots.max']).toBe('32');
  });

  it('takes any pod template where the deployment lets users have them all', async () => {
    const template = pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }], hostNetwork: true });
    const deployment = parseDispatchConfig(`${DEPLOYMENT}  podTemplates: any\n`);
    await expect(prepare(template, deployment)).resolves.toHaveProperty('job');
  });

  it('names an image that is not allowed as its author did', async () => {
    await expect(prepare({ image: 'evil/flink:latest' })).rejects.toMatchObject({ field: 'image' });
  });

  it('refuses every pod template where the deployment wants none', async () => {
    const deployment = parseDispatchConfig(`${DEPLOYMENT}  podTemplates: none\n`);
    await expect(prepare(pod({ nodeSelector: {} }), deployment)).rejects.toMatchObject({
      reason: 'NotAllowed',
      field: 'podTemplate',
    });
  });
});
