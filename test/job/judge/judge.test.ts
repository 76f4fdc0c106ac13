import { describe, expect, it } from 'vitest';
import { isRecord } from '../../../lib/core/json.ts';
import { isDispatchError } from '../../../lib/core/errors.ts';
import { finishCluster, type FinishedCluster } from '../../../lib/flink/finished.ts';
import { DOCUMENTED } from '../../../lib/flink/options/documented.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { clusterRequest } from '../../../lib/job/cluster-request.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { sessionJobOptions } from '../../../lib/job/session.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { jarFixture, MemoryObjects } from '../jar/memory-objects.ts';
import { HOSTILE } from './hostile.ts';

const DEPLOYMENT = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults:
  flinkVersion: '2.3'
  image: flink:2.3.0
  serviceAccount: flink
  podTemplate:
    metadata: { annotations: { vault.hashicorp.com/agent-inject: 'true' } }
    spec:
      hostIPC: true
      tolerations: [{ key: dedicated, operator: Exists }]
      containers:
        - { name: log-shipper, image: 'fluent/fluent-bit:3', volumeMounts: [{ name: node-logs, mountPath: /logs }] }
      volumes: [{ name: node-logs, hostPath: { path: /var/log } }]
sessions: { small: {} }
allow:
  images: ['team/*']
  jarUriSchemes: [local, s3]
  jarBuckets: [jars]
  secrets: ['job-*', 'flink-jar-*']
  configMaps: ['team-*', 'flink-config-*', 'pod-template-*', 'start-permit-*']
  notify: ['https://sqs.*.amazonaws.com/111122223333/*', 'arn:aws:sns:*:111122223333:*']
  maxResources: { cpu: 4, memory: 8g }
`);

async function prepare(spec: Record<string, unknown>, deployment = DEPLOYMENT): Promise<ResolvedJob> {
  const objects = new MemoryObjects().put('jars/a.jar', jarFixture('main-class'));
  const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment };
  const source = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' } as const;
  const own = isRecord(spec['job']) ? spec['job'] : {};
  const asked = { name: 'orders', ...spec, job: { jarURI: 'local:///a.jar', ...own } };
  return (await prepareRun({ source, identity: 'i', spec: asked }, deps, 0)).job;
}

const RUN = runIdFor('i');

function finish(job: ResolvedJob): FinishedCluster {
  const marks = { labels: {}, annotations: {} };
  const purpose = { clusterId: clusterIdFor('orders', RUN, 1), jobId: jobIdFor(RUN, 1), jarUri: job.jar.uri, marks };
  return finishCluster(clusterRequest(job, purpose), job.mode === 'standalone' ? 'standalone' : 'native');
}

const WAYS: Readonly<Record<string, Record<string, unknown>>> = {
  '2.3': {},
  '1.20': { flinkVersion: '1.20' },
  '1.19': { flinkVersion: '1.19' },
  standalone: { mode: 'standalone' },
  session: { mode: 'session', session: { pool: 'small' }, job: { jarURI: 's3://jars/a.jar' } },
};

const KNOWN = new Set(DOCUMENTED.flatMap(({ key, olderNames }) => [key, ...olderNames]));

/** What is made of a job: pods, or in a session what its jar is run with. */
function madeOf(job: ResolvedJob): unknown {
  const { namespace, notify } = job;
  if (job.mode !== 'session')
    return { ...finish(job), cluster: undefined, configuration: undefined, namespace, notify };
  const { session } = job;
  // Flink passes over what it does not know.
  const options = Object.entries(sessionJobOptions(job)).filter(([key]) => KNOWN.has(key));
  return { namespace, notify, session, options };
}

/** The field that is refused; `harmless` when the same is made as of a spec that says nothing. */
async function fieldOf(spec: Record<string, unknown>, way: Record<string, unknown>): Promise<string> {
  try {
    const job = await prepare({ ...spec, ...way });
    expect(madeOf(job), JSON.stringify(spec)).toEqual(madeOf(await prepare(way)));
    return 'harmless';
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    expect(error.reason).toMatch(/^(NotAllowed|InvalidConfiguration|InvalidSpec|UnknownTarget|JarNotFound)$/);
    expect(error.field, error.message).toMatch(/./);
    return error.field ?? '';
  }
}

describe('a hostile spec', () => {
  it('comes in more than 150 spellings', () => {
    expect(HOSTILE.length).toBeGreaterThan(150);
  });

  // To write them anew: npx vitest run --project unit test/job/judge -u
  it.each(Object.entries(WAYS))(
    'is refused by its field, or harmless: %s',
    async (name, way) => {
      const lines: string[] = [];
      for (const { kind, spec } of HOSTILE)
        lines.push(`${kind} ${JSON.stringify(spec)}\n    ${await fieldOf(spec, way)}`);
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../../fixtures/judge/${name}.txt`);
    },
    120_000,
  );
});

describe('a built object', () => {
  it('has what the deployment gives, in both pods and as it is', async () => {
    const job = await prepare({
      taskManager: { podTemplate: { spec: { containers: [{ name: 'flink-main-container', workingDir: '/x' }] } } },
    });
    const { jobManager, taskManager } = finish(job);
    for (const pod of [jobManager, taskManager]) {
      expect(pod.metadata?.annotations).toEqual({ 'vault.hashicorp.com/agent-inject': 'true' });
      expect(pod.spec?.containers.map(({ name }) => name)).toEqual(['log-shipper', 'flink-main-container']);
    }
    expect(taskManager.spec?.containers[1]?.workingDir).toBe('/x');
    expect(jobManager.spec?.containers[1]?.workingDir).toBeUndefined();
  });

  it('names the option that made it', async () => {
    const field = 'flinkConfiguration["kubernetes.taskmanager.annotations"]';
    const spec = { flinkConfiguration: { 'kubernetes.taskmanager.annotations': '{"\\x69am.amazonaws.com/role": a}' } };
    await expect(prepare(spec)).rejects.toMatchObject({ reason: 'NotAllowed', field });
  });
});

describe('how names are looked up in a pod', () => {
  const spec = { podTemplate: { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['kafka-0'] }] } } };

  it('is the user’s where nobody else’s container is in it', async () => {
    const alone = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { flinkVersion: '2.3', image: flink:2.3.0, serviceAccount: flink }
allow: { jarUriSchemes: [local] }
`);
    await expect(prepare(spec, alone)).resolves.toHaveProperty('name');
    const field = 'podTemplate.spec.hostAliases';
    await expect(prepare(spec)).rejects.toMatchObject({ reason: 'NotAllowed', field });
  });
});

describe('an honest spec', () => {
  const limits = { limits: { cpu: '500m', memory: '256Mi' } };
  it.each<Record<string, unknown>>([
    {
      flinkConfiguration: {
        'kubernetes.secrets': '{job-a: /mnt}',
        'kubernetes.env.secretKeyRef': '[{env: A, secret: job-b, key: k}]',
      },
    },
    { flinkConfiguration: { 'high-availability.type': 'kubernetes', 'kubernetes.jobmanager.replicas': 2 } },
    {
      podTemplate: {
        metadata: { name: 'pod-template' },
        spec: { containers: [{ name: 'side', image: 'team/side:1', resources: limits }] },
      },
    },
    {
      podTemplate: {
        spec: {
          volumes: [
            { name: 'v', emptyDir: { sizeLimit: '1Gi' } },
            { name: 'c', configMap: { name: 'team-a' } },
          ],
        },
      },
    },
    { podTemplate: { spec: { terminationGracePeriodSeconds: 60, nodeSelector: { 'kubernetes.io/arch': 'arm64' } } } },
    { mode: 'standalone', taskManager: { replicas: 2, resource: { cpu: 2, memory: '4g' } } },
    { flinkVersion: '1.20', taskManager: { resource: { ephemeralStorage: '1Gi' } } },
    {
      notify: [
        'https://sqs.eu-central-1.amazonaws.com/111122223333/orders.fifo',
        'arn:aws:sns:eu-central-1:111122223333:ours',
      ],
    },
  ])('%j', async (spec) => {
    await expect(prepare(spec)).resolves.toHaveProperty('name');
  });
});
