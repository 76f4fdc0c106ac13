import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';
import { deployment, fakeKubernetes } from './fake-kubernetes.ts';

interface Objects {
  readonly items: {
    kind: string;
    metadata: { name: string; namespace: string };
    data?: Record<string, string>;
    spec?: { type?: string };
  }[];
}

async function dryRun(...argv: string[]) {
  const io = fakeIo();
  const words = argv[0] === 'session' ? 2 : 1;
  const code = await main([...argv.slice(0, words), '--dry-run', '-o', 'json', ...argv.slice(words)], io, '1');
  const { items } = (code === 0 ? JSON.parse(io.stdout()) : { items: [] }) as Objects;
  const config = items.find(({ data }) => data?.['config.yaml'] !== undefined)?.data?.['config.yaml'] ?? '';
  const services = items.filter(({ kind }) => kind === 'Service');
  return { code, err: io.stderr(), notes: io.stderr().trimEnd().split('\n'), owner: items[0], services, config };
}

const OLD = ['-nm', 'x', '-ns', 'jobs', '-i', 'flink:2.3.0', '-jm', '1024', '-tm', '8192', '-s', '8', '-n', '4', '-d'];
const TODAY = [
  'note: -nm is an old flag: today -Dkubernetes.cluster-id=x',
  'note: -ns is an old flag: today -Dkubernetes.namespace=jobs',
  'note: -i is an old flag: today -Dkubernetes.container.image.ref=flink:2.3.0',
  'note: -jm is an old flag: today -Djobmanager.memory.process.size=1024m',
  'note: -tm is an old flag: today -Dtaskmanager.memory.process.size=8192m',
  'note: -s is an old flag: today -Dtaskmanager.numberOfTaskSlots=8',
  'note: -n is an old flag: today -Dslotmanager.number-of-slots.min=32',
  'note: -d is an old flag: today -Dexecution.attached=false, the default',
];

it("maps the first kubernetes-session.sh's flags, and says what to write today", async () => {
  const { notes, owner, config } = await dryRun('session', 'start', ...OLD);
  expect(notes).toEqual(TODAY);
  expect(owner?.metadata).toMatchObject({ name: 'x', namespace: 'jobs' });
  expect(config).toMatch(/numberOfTaskSlots: ["']?8/);
  expect(config).toMatch(/process:\n +size: 1024m/);
  expect(config).toMatch(/process:\n +size: 8192m/);
  expect(config).toMatch(/number-of-slots:\n +min: ["']?32/);
});

it('their long names too, and -D over both', async () => {
  const long = ['--name', 'x', '--namespace', 'jobs', '--image', 'flink:2.3.0', '--slots', '8', '--pods', '4'];
  const { owner, config } = await dryRun('session', 'start', ...long, '-Dkubernetes.cluster-id=y');
  expect(owner?.metadata.name).toBe('y');
  expect(config).toMatch(/number-of-slots:\n +min: ["']?32/);
});

describe('run', () => {
  const JAR = 'local:///opt/flink/usrlib/WordCount.jar';

  it('has them with a k', async () => {
    const prefixed = OLD.map((word) => word.replace(/^-(?=[a-z])/, '-k'));
    const { notes, owner, config } = await dryRun('run', '-m', 'kubernetes-cluster', ...prefixed, JAR, '-n', '9');
    expect(notes).toEqual([
      'note: -m is an old flag: today -t kubernetes-application',
      ...TODAY.slice(0, 7).map((line) => line.replace('note: -', 'note: -k')),
      'note: -kd is an old flag: today -d',
    ]);
    expect(owner?.metadata).toMatchObject({ name: 'x', namespace: 'jobs' });
    expect(config).toMatch(/attached: false/);
    expect(config).toMatch(/number-of-slots:\n +min: ["']?32/);
  });

  it('or with "kubernetes"', async () => {
    const { owner } = await dryRun(
      'run',
      '-m',
      'kubernetes-cluster',
      '--kubernetesname',
      'x',
      '-ki',
      'flink:2.3.0',
      JAR,
    );
    expect(owner?.metadata.name).toBe('x');
  });

  it.each([
    ['kubernetes.destroy-perjob-cluster.after-job-finished=false', /shutdown-on-application-finish: ["']?false/],
  ])('-D%s', async (property, written) => {
    const { notes, config } = await dryRun('run', `-D${property}`, '-Dkubernetes.cluster-id=x', JAR);
    expect(notes[0]).toMatch(/^note: kubernetes\..* is an old option: today -D/);
    expect(config).toMatch(written);
  });

  it('opens no port for an exposed type of the first client, which Flink ignores', async () => {
    const property = '-Dkubernetes.service.exposed.type=NodePort';
    const { notes, config, services } = await dryRun('run', property, '-Dkubernetes.cluster-id=x', JAR);
    expect(notes[0]).toMatch(
      /^note: kubernetes\.service\.exposed\.type has no effect: .*-Dkubernetes\.rest-service\.exposed/,
    );
    expect(config).not.toMatch(/exposed/);
    expect(services.map(({ spec }) => spec?.type ?? 'ClusterIP')).not.toContain('NodePort');
  });
});

describe('-ms and -sa', () => {
  let jobManager: Server;
  let address: string;
  const asked: string[] = [];
  const standing = deployment('x', 'default', 'session');
  let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;

  beforeAll(async () => {
    jobManager = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(request.url ?? '')));
    });
    await new Promise<void>((resolve) => jobManager.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(jobManager.address() as AddressInfo).port}`;
    kubernetes = await fakeKubernetes({
      'GET /apis/apps/v1/namespaces/default/deployments/x': { status: 200, body: standing },
    });
  });
  afterAll(() => {
    jobManager.closeAllConnections();
    jobManager.close();
    kubernetes.close();
  });

  function answer(url: string): unknown {
    if (url === '/overview')
      return { 'flink-version': '2.3.0', taskmanagers: 1, 'slots-total': 2, 'slots-available': 2 };
    if (url === '/jars/upload') return { filename: '/tmp/1_a.jar', status: 'success' };
    return url.endsWith('/run') ? { jobid: 'ab'.repeat(16) } : { jobs: [], applications: [] };
  }

  it('find the context of an API server, and the JobManager at an address', async () => {
    const io = fakeIo(kubernetes.env, ['quit']);
    const code = await main(['session', 'attach', '-ms', kubernetes.url, '-nm', 'x', '-sa', address], io, '1');
    expect(code, io.stderr()).toBe(0);
    expect(asked).toContain('GET /overview');
  });

  it('-m with -ksa submits to the session', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
    try {
      const jar = join(folder, 'a.jar');
      writeFileSync(jar, 'PK');
      const io = fakeIo(kubernetes.env);
      const old = ['-m', 'kubernetes-cluster', '-kms', kubernetes.url, '-knm', 'x', '-ksa', address, '-kd'];
      const code = await main(['run', ...old, jar, '-n'], io, '1');
      expect([code, io.stdout()], io.stderr()).toEqual([0, `Job has been submitted with JobID ${'ab'.repeat(16)}\n`]);
      expect(asked.slice(-3)).toEqual(['POST /jars/upload', 'POST /jars/1_a.jar/run', 'DELETE /jars/1_a.jar']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
