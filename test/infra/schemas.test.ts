import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SCHEMAS } from '../../infra/docs/schemas.ts';
import { validatorOf } from './validator.ts';

const job = validatorOf('job.v1.json');
const config = validatorOf('config.v1.json');
const message = validatorOf('message.v1.json');

/** The blocks of a document that are YAML, or JSON. */
function examplesIn(file: string): unknown[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```(?:yaml|json)\n([^]*?)^```/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => parseAllDocuments(block).map((document) => document.toJS() as unknown));
}

const isJob = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'job' in value && typeof value.job === 'object';

describe('job.v1.json', () => {
  it.each(['README.md', 'docs/job-spec.md'])('takes each job of %s', (file) => {
    const jobs = examplesIn(file).filter(isJob);
    expect(jobs.length).toBeGreaterThan(0);
    for (const one of jobs) expect(job(one), JSON.stringify(one)).toEqual([]);
  });

  it('takes the manifests of the operator', () => {
    const manifest = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', metadata: { name: 'a' } };
    expect(job({ ...manifest, spec: { image: 'flink', job: { jarURI: 'local:///a.jar' } } })).toEqual([]);
    expect(job({ ...manifest, kind: 'Deployment', spec: { job: {} } })).not.toEqual([]);
  });

  it.each([
    [{ jobs: {} }, ' must NOT have additional properties jobs'.trim()],
    [{ job: { paralelism: 2 } }, '/job must NOT have additional properties paralelism'],
    [{ job: { parallelism: 0 } }, '/job/parallelism must be >= 1'],
    [{ job: { upgradeMode: 'always' } }, '/job/upgradeMode must be equal to one of the allowed values'],
    [{ retry: { attempts: 'two' } }, '/retry/attempts must be integer'],
  ])('names what is wrong in %j', (value, wrong) => {
    expect(job(value)).toContain(wrong);
  });
});

describe('config.v1.json', () => {
  it('takes the configuration of the repository', () => {
    const text = readFileSync(new URL('../../infra/dispatch.yml', import.meta.url), 'utf8');
    expect(config(parse(text))).toEqual([]);
  });

  it('names what is wrong', () => {
    const target = { namespace: 'jobs', access: { kind: 'in-cluster' } };
    expect(config({ targets: { default: target }, allow: { image: ['flink'] } })).toContain(
      '/allow must NOT have additional properties image',
    );
    expect(config({})).toContain("must have required property 'targets'");
    expect(config({ targets: { default: { ...target, defaults: { jobb: {} } } } })).toContain(
      '/targets/default/defaults must NOT have additional properties jobb',
    );
  });
});

describe('message.v1.json', () => {
  it.each([
    { runJob: 'nightly' },
    { runJob: 'nightly', idempotencyKey: 'a', spec: { job: { args: ['--day'] } } },
    { name: 'words', job: { jarURI: 'local:///a.jar' }, idempotencyKey: 'b' },
    { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment', spec: { job: {} } },
    { cancelRun: '344e2e84cefa8d544286' },
  ])('takes %j', (value) => {
    expect(message(value)).toEqual([]);
  });

  it('names what is wrong', () => {
    expect(message({ runJob: 'nightly', job: {} })).toContain('must NOT have additional properties job');
    expect(message({ cancelRun: 'x' })).not.toEqual([]);
    expect(message({ cancelRun: '344e2e84cefa8d544286', name: 'x' })).not.toEqual([]);
    expect(message({ jobb: {} })).toContain('must NOT have additional properties jobb');
  });
});

it('each field of each schema has a text, save those of pods, envelopes and Kubernetes', () => {
  const without: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, one] of Object.entries(value)) {
      const isField = path.endsWith('/properties');
      if (isField && !/podTemplate\/.+|\/then\//.test(`${path}/${key}`) && !('description' in (one as object)))
        without.push(`${path}/${key}`);
      walk(one, `${path}/${key}`);
    }
  };
  for (const [name, schema] of Object.entries(SCHEMAS)) walk(schema(), name);
  expect(without).toEqual([]);
});
