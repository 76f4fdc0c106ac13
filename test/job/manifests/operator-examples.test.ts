import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from './operator-examples.ts';
import { jarFixture, MemoryObjects } from '../jar/memory-objects.ts';
import { DEPLOYMENT, take, takeAll } from './taken.ts';

type Name = keyof typeof EXAMPLES;

function textOf(name: Name): string {
  const manifests: unknown = EXAMPLES[name];
  return (Array.isArray(manifests) ? manifests : [manifests]).map((one) => `---\n${stringify(one)}`).join('');
}

/** Taken, with the notes that the run's record has. */
const TAKEN: readonly [Name, readonly RegExp[]][] = [
  ['basic', []],
  ['custom-logging', []],
  ['pod-template', []],
  ['flink-beam-example/beam-example', []],
  ['flink-python-example/python-example', []],
  ['flink-sql-runner-example/sql-example', []],
  ['basic-checkpoint-ha', []],
  ['basic-reactive', []],
  ['basic-ingress', [/ingress has no effect/]],
  ['advanced-ingress', [/ingress has no effect/]],
  ['autoscaling/autoscaling', [/job\.autoscaler\.enabled, .*have no effect/]],
  ['autoscaling/autoscaling-dynamic', [/job\.autoscaler\.enabled, .*have no effect/]],
];

/** Refused, with what to write instead. */
const REFUSED: readonly [Name, string | undefined, RegExp][] = [
  ['basic-session-deployment-only', 'spec.job', /under `sessions` of the deployment's configuration/],
  ['flink-tls-example/basic-secure-deployment-only', 'spec.job', /under `sessions` of the deployment's configuration/],
  ['basic-session-job-only', 'job.jarURI', /scheme https/],
  ['flink-tls-example/basic-secure-session-job-only', 'job.jarURI', /scheme https/],
  ['basic-session-deployment-and-job', 'job.jarURI', /scheme https/],
  [
    'flink-tls-example/basic-secure',
    'flinkConfiguration["security.ssl.enabled"]',
    /allow\.options\.allow names what is/,
  ],
  ['canary', 'spec', /does not say what to run/],
  ['flink-tls-example/pre-install', undefined, /3 YAML documents, and number 1 is a Secret/],
  ['hpa/basic-hpa', 'kind', /`flink-dispatch deployments scale`/],
  ['kustomize/conf-override/patch', 'kind', /not Deployment: kubectl applies it/],
  ['kustomize/sidecar/patch', 'kind', /not Deployment: kubectl applies it/],
  ['snapshot/checkpoint', 'kind', /savepointRun.*job\.initialSavepointPath/],
  ['snapshot/savepoint-already-exists', 'kind', /savepointRun.*job\.initialSavepointPath/],
  ['snapshot/savepoint-job-defaults', 'kind', /savepointRun.*job\.initialSavepointPath/],
  ['snapshot/savepoint-job-full-spec', 'kind', /savepointRun.*job\.initialSavepointPath/],
  ['snapshot/job-from-savepoint', undefined, /number 1 is a FlinkStateSnapshot: only FlinkDeployments and/],
];

/** Taken where a deployment allows it. */
const OPENED = {
  ...DEPLOYMENT,
  allow: {
    ...DEPLOYMENT.allow,
    options: { ...DEPLOYMENT.allow.options, allow: ['security.ssl.*', 'kubernetes.secrets'] },
    secrets: ['team-*'],
    sessions: ['team-*'],
  },
};
const objects = new MemoryObjects();
for (const name of ['windows', 'machine']) {
  objects.put(`flink-dispatch-x-jars-1/${name}.jar`, jarFixture('main-class'));
}
const inS3 = (name: Name) => textOf(name).replaceAll('https://repo.example.com/', 's3://flink-dispatch-x-jars-1/');

describe("the manifests of the operator's examples", () => {
  it('are in the table of docs/flink-documents.md, with what becomes of them', () => {
    const listed = [...TAKEN, ...REFUSED].map(([name]) => name);
    expect(listed.sort()).toEqual(Object.keys(EXAMPLES).sort());
    const document = readFileSync(new URL('../../../docs/flink-documents.md', import.meta.url), 'utf8');
    const [, section = ''] = document.split('## The operator’s examples');
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const fateOf = (name: string) => rows.find((row) => row.split(' | ')[0]?.includes(`\`${name}\``))?.split(' | ')[1];
    for (const [name] of TAKEN) expect(fateOf(name), name).toMatch(/^taken/);
    for (const [name] of REFUSED) expect(fateOf(name), name).toMatch(/refused/);
  });

  it.each(TAKEN)('%s is taken', async (name, notes) => {
    const { job, cluster } = await take(textOf(name));
    expect(cluster?.deployment.spec?.template.spec?.containers.at(-1)?.name).toBe('flink-main-container');
    expect(job.notes ?? []).toHaveLength(notes.length);
    notes.forEach((note, i) => {
      expect(job.notes?.[i]).toMatch(note);
    });
  });

  it.each(REFUSED)('%s is refused', async (name, field, message) => {
    await expect(takeAll(textOf(name))).rejects.toMatchObject({
      field,
      message: expect.stringMatching(message) as string,
    });
  });

  it('a job with TLS is taken where its options and its secret are allowed', async () => {
    const { job } = await take(textOf('flink-tls-example/basic-secure'), OPENED);
    expect(job.notes).toBeUndefined();
    expect(job.options).toMatchObject({ 'security.ssl.keystore': '/tls/keystore.jks' });
  });

  it.each<Name>(['basic-session-job-only', 'flink-tls-example/basic-secure-session-job-only'])(
    'the session job %s is taken with its jar in S3, where the session is allowed or a pool has its name',
    async (name) => {
      const https = { ...OPENED.allow, jarUriSchemes: ['https' as const], jarUriHosts: ['**'] };
      await expect(take(textOf(name), { ...OPENED, allow: https })).rejects.toThrow(/must begin with s3:\/\//);
      const closed = { ...OPENED, allow: { ...OPENED.allow, sessions: [] } };
      await expect(take(inS3(name), closed, objects)).rejects.toMatchObject({
        reason: 'NotAllowed',
        message: expect.stringContaining('allow.sessions), and no pool (sessions)') as string,
      });
      const { job } = await take(inS3(name), OPENED, objects);
      expect(job).toMatchObject({ mode: 'session', session: { clusterId: 'team-session' } });
      const sessions = { 'team-session': { idleAfter: 60_000 }, other: { idleAfter: 60_000 } };
      const pooled = await take(inS3(name), { ...closed, sessions }, objects);
      expect(pooled.job).toMatchObject({ session: { pool: { name: 'team-session' } } });
      expect(pooled.job.notes).toContain(
        'deploymentName team-session is the pool sessions.team-session of the configuration, and no FlinkDeployment',
      );
    },
  );

  it('the jobs beside a session cluster are a run each, and a job beside a snapshot is one without it', async () => {
    const jobs = await takeAll(inS3('basic-session-deployment-and-job'), OPENED, objects);
    expect(jobs.map(({ job }) => [job.name, job.jar.uri])).toEqual([
      ['first', 's3://flink-dispatch-x-jars-1/windows.jar'],
      ['second', 's3://flink-dispatch-x-jars-1/machine.jar'],
    ]);
    const { job } = await take(stringify(EXAMPLES['snapshot/job-from-savepoint'][1]));
    expect(job).toMatchObject({ name: 'from-savepoint' });
  });

  it.each([
    ['FlinkBlueGreenDeployment', /spec\.template\.spec/],
    ['Secret', /kind must be FlinkDeployment or FlinkSessionJob, not Secret: kubectl applies it/],
  ])('%s is none of them', async (kind, message) => {
    await expect(take(`apiVersion: v1\nkind: ${kind}\nmetadata: { name: a }\nspec: {}`)).rejects.toMatchObject({
      field: 'kind',
      message: expect.stringMatching(message) as string,
    });
  });
});

const MAIN = 'flink-main-container';
const shipper = { name: 'log-shipper', image: 'fluent/fluent-bit:3.1' };
const env = (...names: string[]) => names.map((name) => ({ name, value: name }));

async function templates(common: object, own: object, option?: string | boolean) {
  const { cluster, job } = await take(
    JSON.stringify({
      name: 'orders',
      flinkConfiguration:
        option === undefined ? {} : { 'kubernetes.operator.pod-template.merge-arrays-by-name': option },
      podTemplate: { spec: common },
      jobManager: { podTemplate: { spec: own } },
      job: { jarURI: 'local:///job.jar' },
    }),
  );
  return { containers: cluster?.deployment.spec?.template.spec?.containers ?? [], job };
}

describe('merge-arrays-by-name', () => {
  const common = { containers: [shipper, { name: MAIN, env: env('A', 'C') }] };
  const own = { containers: [{ name: MAIN, env: env('B', 'C') }] };

  it.each(['true', true, 'TRUE'])('%s merges containers and their variables by name', async (value) => {
    const { containers, job } = await templates(common, own, value);
    expect(containers.map(({ name }) => name)).toEqual(['log-shipper', MAIN]);
    const names = containers[1]?.env?.map(({ name }) => name) ?? [];
    expect(names).toEqual(expect.arrayContaining(['A', 'B', 'C']));
    expect(names.filter((name) => name === 'C')).toHaveLength(1);
    expect(job.notes).toBeUndefined();
    expect(Object.keys(job.options).filter((key) => key.startsWith('kubernetes.operator'))).toEqual([]);
  });

  it.each(['false', undefined])(
    '%s merges by name, too: no entry comes into a container of another author',
    async (value) => {
      const { containers } = await templates(common, own, value);
      expect(containers.map(({ name }) => name)).toEqual(['log-shipper', MAIN]);
    },
  );

  it('keeps position where an entry has no name', async () => {
    const list = (...values: string[]) => ({ containers: [{ name: MAIN, args: values }] });
    const { containers } = await templates(list('a', 'b'), list('c'), true);
    expect(containers.at(-1)?.name).toBe(MAIN);
  });

  it('adds what only the component has, after what both have', async () => {
    const more = { containers: [{ name: 'proxy', image: 'envoy:1' }, shipper] };
    const { containers } = await templates(common, more, true);
    expect(containers.map(({ name }) => name)).toEqual(['log-shipper', 'proxy', MAIN]);
  });
});
