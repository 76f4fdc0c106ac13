import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { V1Deployment, V1Job } from '@kubernetes/client-node';
import { main } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';
import { deployment, fakeKubernetes, recorded, type Answer } from './fake-kubernetes.ts';
import { runCli } from './run-cli.ts';

const JAR = 'local:///opt/flink/usrlib/WordCount.jar';
const ID = '000102030405060708090a0b0c0d0e0f';

// these take seconds on a busy machine, once
beforeAll(async () => {
  await Promise.all([import('@kubernetes/client-node'), import('../src/commands/standalone.ts')]);
}, 60_000);

async function objects(...argv: string[]) {
  const io = fakeIo();
  const flags = [
    '--dry-run',
    '-o',
    'json',
    '-Dkubernetes.cluster-id=c',
    '-Dkubernetes.container.image.ref=flink:2.3.0',
  ];
  const code = await main(['standalone', 'up', ...flags, ...argv], io, '1');
  const list = (code === 0 ? JSON.parse(io.stdout()) : { items: [] }) as { items: (V1Deployment | V1Job)[] };
  const [owner, ...others] = list.items;
  return { code, err: io.stderr(), owner, others, args: owner?.spec?.template.spec?.containers[0]?.args };
}

describe('standalone up', () => {
  it('makes a session without a jar', async () => {
    const { owner, others, args } = await objects('--taskmanagers', '3');
    expect(args).toEqual(['jobmanager']);
    expect([owner?.kind, ...others.map(({ kind, metadata }) => `${kind ?? ''}/${metadata?.name ?? ''}`)]).toEqual([
      'Deployment',
      'Service/c',
      'Service/c-rest',
      'ConfigMap/flink-config-c',
      'Deployment/c-taskmanager',
    ]);
    expect((others.at(-1) as V1Deployment).spec?.replicas).toBe(3);
  });

  it('an application with one, whose arguments are its own', async () => {
    const { args } = await objects('-c', 'a.B', '--job-id', ID, '-p', '4', JAR, '-h', '', '$(HOME) b');
    expect(args).toEqual([
      'standalone-job',
      '--job-classname',
      'a.B',
      '--job-id',
      ID,
      '--jars',
      JAR,
      '--',
      '-h',
      '',
      '$$(HOME) b',
    ]);
  });

  it('with --job a Job that runs once; Kubernetes takes all after its end when nobody waits', async () => {
    const attached = (await objects('--job', JAR)).owner as V1Job;
    expect(attached).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', spec: { backoffLimit: 0 } });
    expect(attached.spec?.template.spec?.restartPolicy).toBe('Never');
    expect(attached.spec).not.toHaveProperty('ttlSecondsAfterFinished');
    const { owner, others } = await objects('--job', '-d', '--ttl', '9', JAR);
    expect((owner as V1Job).spec?.ttlSecondsAfterFinished).toBe(9);
    for (const { metadata } of others) {
      expect(metadata?.ownerReferences).toMatchObject([{ apiVersion: 'batch/v1', kind: 'Job', name: 'c' }]);
    }
  });

  it.each([
    [['--job'], /a session does not end/],
    [['--ttl', '9', JAR], /--ttl goes with --job and -d/],
    [['--job-id', 'x', JAR], /--job-id x: must be 32/],
    [['--taskmanagers', 'many'], /--taskmanagers many: must be a whole number/],
  ])('refuses %j', async (argv, message) => {
    const { code, err } = await objects(...argv);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('standalone up of a session', () => {
  const PODS = '/api/v1/namespaces/default/pods';
  const pod = (component: string, state: object) => ({
    metadata: {
      name: `c-${component}`,
      uid: component,
      creationTimestamp: '2026-11-21T05:00:00Z',
      labels: { component },
    },
    spec: { containers: [{ name: 'flink-main-container' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'flink-main-container', restartCount: 0, image: 'flink', state }],
    },
  });
  const running = { running: { startedAt: '2026-11-21T05:00:01Z' } };
  const upWith = async (jobManager: object[]) => {
    let looks = 0;
    const created = (): Answer => ({ status: 201, body: { metadata: { uid: 'u' } } });
    const kubernetes = await fakeKubernetes({
      'POST /apis/apps/v1/namespaces/default/deployments': created,
      'POST /api/v1/namespaces/default/services': created,
      'POST /api/v1/namespaces/default/configmaps': created,
      'GET /apis/apps/v1/namespaces/default/deployments/c': {
        status: 200,
        body: {
          ...deployment('c', 'default', 'session'),
          metadata: { name: 'c', uid: 'u', creationTimestamp: '2026-11-21T05:00:00Z' },
        },
      },
      [`GET ${PODS}`]: () => {
        const state = jobManager[Math.min(looks++, jobManager.length - 1)] ?? running;
        return { status: 200, body: { items: [pod('jobmanager', state), pod('taskmanager', running)] } };
      },
      'GET /api/v1/namespaces/default/events': { status: 200, body: { items: [] } },
    });
    const argv = ['standalone', 'up', '-Dkubernetes.cluster-id=c', '-Dkubernetes.container.image.ref=flink:2.3.0'];
    const result = await runCli(argv, { env: kubernetes.env });
    kubernetes.close();
    return { ...result, looks };
  };

  it('says that it is created once its pods run', async () => {
    const { code, out, looks } = await upWith([{ waiting: { reason: 'ContainerCreating' } }, running]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Standalone session cluster c created in namespace default .*, its pods run after/);
    expect(looks).toBeGreaterThan(1);
  });

  it('says why they do not', async () => {
    const message = 'couldn\'t parse image name "Flink": invalid reference format';
    const { code, out, err } = await upWith([{ waiting: { reason: 'InvalidImageName', message } }]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('invalid reference format');
    expect(err).toContain('standalone down c removes it');
  });
});

describe('on a cluster that runs', () => {
  const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
  const REST = '/api/v1/namespaces/default/services/c-rest:rest/proxy';
  const ok = (body: unknown): Answer => ({ status: 200, body });
  const standing = (args: string[]) => {
    const native = deployment('c', 'default', 'session');
    const template = { spec: { containers: [{ image: 'flink:2.3.0', args }] } };
    return { ...native, spec: { template } };
  };
  let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;
  beforeEach(async () => {
    kubernetes = await fakeKubernetes({
      [`GET ${DEPLOYMENTS}`]: ok({ items: [] }),
      '/apis/batch/v1/namespaces/default/jobs': ok({ items: [] }),
      [`GET ${DEPLOYMENTS}/c`]: ok(standing(['jobmanager'])),
      [`GET ${DEPLOYMENTS}/native`]: ok(deployment('native', 'default', 'session')),
      [`GET ${DEPLOYMENTS}/c-taskmanager/scale`]: ok({ kind: 'Scale', spec: { replicas: 2 } }),
      [`PATCH ${DEPLOYMENTS}/c-taskmanager/scale`]: ok({ kind: 'Scale', spec: { replicas: 5 } }),
      [`GET ${REST}/overview`]: ok(recorded('2.3.0', 'running', 'overview')),
      [`GET ${REST}/jobs/overview`]: ok(recorded('2.3.0', 'running', 'jobs_overview')),
      [`GET ${REST}/applications/overview`]: ok({ applications: [] }),
    });
  });
  afterEach(() => kubernetes.close());

  const run = (...argv: string[]) => runCli(argv, { env: kubernetes.env });

  it('scales its TaskManagers', async () => {
    expect(await run('standalone', 'scale', 'c', '5')).toMatchObject({
      code: 0,
      out: 'Standalone cluster c: 2 → 5 TaskManagers\n',
    });
    expect(kubernetes.requests).toContain(`PATCH ${DEPLOYMENTS}/c-taskmanager/scale`);
  });

  it('is not removed while jobs run, and a native one not at all', async () => {
    expect(await run('standalone', 'down', 'c')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/a job runs on c: .*--force/) as string,
    });
    expect(await run('standalone', 'down', 'native')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is a native cluster, not a standalone one: use session stop') as string,
    });
    expect(kubernetes.requests.some((request) => request.startsWith('DELETE'))).toBe(false);
  });
});
