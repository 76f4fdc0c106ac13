import { describe, expect, it } from 'vitest';
import { isRecord } from '../../../lib/core/json.ts';
import { finishCluster } from '../../../lib/flink/finished.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { clusterRequest } from '../../../lib/job/cluster-request.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { MemoryObjects } from '../jar/memory-objects.ts';
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
allow:
  images: ['team/*']
  secrets: ['job-*', 'flink-jar-*']
  configMaps: ['team-*', 'flink-config-*', 'pod-template-*', 'start-permit-*']
  notify: ['https://sqs.*.amazonaws.com/111122223333/*', 'arn:aws:sns:*:111122223333:*']
  maxResources: { cpu: 4, memory: 8g }
`);

async function prepare(spec: Record<string, unknown>) {
  const objects = new MemoryObjects();
  const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment: DEPLOYMENT };
  const source = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' } as const;
  const own = isRecord(spec['job']) ? spec['job'] : {};
  const asked = { name: 'orders', ...spec, job: { jarURI: 'local:///a.jar', ...own } };
  return (await prepareRun({ source, identity: 'i', spec: asked }, deps, 0)).job;
}

describe('a hostile spec', () => {
  it('comes in more than 150 spellings', () => {
    expect(HOSTILE.length).toBeGreaterThan(150);
  });

  describe.each([{}, { flinkVersion: '1.20' }, { mode: 'standalone' }])('with %j', (more) => {
    it.each(HOSTILE)('$kind: $spec', async ({ spec }) => {
      const job = prepare({ ...spec, ...more });
      // what only a native JobManager does is nobody's in a standalone cluster
      const native = JSON.stringify(spec).includes('external-resource');
      if (native && 'mode' in more) await expect(job).resolves.toHaveProperty('name');
      else
        await expect(job).rejects.toMatchObject({
          reason: expect.stringMatching(/^(NotAllowed|InvalidConfiguration|InvalidSpec)$/) as string,
          field: expect.stringMatching(/./) as string,
        });
    });
  });
});

describe('a built object', () => {
  it('has what the deployment gives, in both pods and as it is', async () => {
    const job = await prepare({
      taskManager: { podTemplate: { spec: { containers: [{ name: 'flink-main-container', workingDir: '/x' }] } } },
    });
    const run = runIdFor('i');
    const marks = { labels: {}, annotations: {} };
    const purpose = { clusterId: clusterIdFor('orders', run, 1), jobId: jobIdFor(run, 1), jarUri: job.jar.uri, marks };
    const { jobManager, taskManager } = finishCluster(clusterRequest(job, purpose), 'native');
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
