import { describe, expect, it } from 'vitest';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { HOSTILE } from './hostile.ts';
import { finish, prepare, refusals, WAYS } from './refusals.ts';

describe('a hostile spec', () => {
  it('comes in more than 150 spellings', () => {
    expect(HOSTILE.length).toBeGreaterThan(150);
  });

  // To write them anew: npx vitest run --project unit --project slow test/job/judge -u
  it.each(['2.3', 'session'] as const)('is refused by its field, or harmless: %s', async (way) => {
    await expect(await refusals(WAYS[way])).toMatchFileSnapshot(`../../fixtures/judge/${way}.txt`);
  });
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
