import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from './operator-examples.ts';
import { DEPLOYMENT, take } from './taken.ts';

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
  ['flink-beam-example', []],
  ['flink-python-example', []],
  ['flink-sql-runner-example', []],
  ['basic-checkpoint-ha', []],
  ['basic-reactive', []],
  ['basic-ingress', [/ingress has no effect/]],
  ['advanced-ingress', [/ingress has no effect/]],
  ['autoscaling', [/job\.autoscaler\.enabled, .*have no effect/]],
];

/** Refused, with what to write instead. */
const REFUSED: readonly [Name, string, RegExp][] = [
  ['basic-session-deployment-only', 'spec.job', /under `sessions` of the deployment's configuration/],
  ['basic-session-job-only', 'job.jarURI', /scheme https/],
  ['canary', 'spec', /does not say what to run/],
];

describe("the manifests of the operator's examples", () => {
  it('are fifteen, and each is in the table', () => {
    const listed = [
      ...TAKEN.map(([name]) => name),
      ...REFUSED.map(([name]) => name),
      'basic-session-deployment-and-job',
    ];
    expect(listed.sort()).toEqual(Object.keys(EXAMPLES).sort());
    expect(listed).toHaveLength(15);
  });

  it('are in the table of docs/job-spec.md, with what becomes of them', () => {
    const document = readFileSync(new URL('../../../docs/job-spec.md', import.meta.url), 'utf8');
    const rows = document.split('\n').filter((line) => line.startsWith('| `'));
    const fateOf = (name: string) => rows.find((row) => row.split(' | ')[0]?.includes(`\`${name}\``))?.split(' | ')[1];
    for (const [name] of TAKEN) expect(fateOf(name), name).toMatch(/^taken/);
    for (const [name] of REFUSED) expect(fateOf(name), name).toMatch(/refused/);
    expect(fateOf('basic-session-deployment-and-job')).toMatch(/^refused: a request is one document/);
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
    await expect(take(textOf(name))).rejects.toMatchObject({
      field,
      message: expect.stringMatching(message) as string,
    });
  });

  it('are one each in a request', async () => {
    await expect(take(textOf('basic-session-deployment-and-job'))).rejects.toMatchObject({
      reason: 'MalformedRequest',
      message: 'the message holds 3 YAML documents, and a request is one: send each of them by itself',
    });
  });

  it('a session job is taken with its jar in S3, where the session is allowed', async () => {
    const https = {
      ...DEPLOYMENT,
      allow: { ...DEPLOYMENT.allow, jarUriSchemes: ['https' as const], jarUriHosts: ['**'] },
    };
    await expect(take(textOf('basic-session-job-only'), https)).rejects.toThrow(/must begin with s3:\/\//);
    const text = textOf('basic-session-job-only').replace('https://repo.example.com/', 's3://flink-dispatch-x-jars-1/');
    await expect(take(text)).rejects.toMatchObject({ reason: 'NotAllowed', field: 'session.clusterId' });
    const allowed = { ...DEPLOYMENT, allow: { ...DEPLOYMENT.allow, sessions: ['team-*'] } };
    await expect(take(text, allowed)).rejects.toMatchObject({ reason: 'JarNotFound' });
  });

  it.each([
    ['FlinkStateSnapshot', /initialSavepointPath/],
    ['FlinkBlueGreenDeployment', /spec\.template\.spec/],
    ['HorizontalPodAutoscaler', /kind must be FlinkDeployment or FlinkSessionJob/],
    ['Secret', /kind must be/],
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
