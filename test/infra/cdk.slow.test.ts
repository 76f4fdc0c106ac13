import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../infra/local/cache.ts';
import { buildRelease } from '../../infra/release.ts';
import type { Template } from '../../lib/install/template.ts';
import { runCli } from '../../packages/cli/test/run-cli.ts';

/** Too large for everybody's `npm ci`: they are fetched when this is run, and kept. */
const LIBRARIES = ['aws-cdk-lib@2.276.0', 'constructs@10.8.1'];
const CDK = join(import.meta.dirname, '../../infra/cdk');

/** Answers the folder `node_modules`. */
function libraries(): string {
  const folder = join(cacheFolder(), (LIBRARIES[0] ?? '').replace('@', '-'));
  if (!existsSync(folder)) {
    mkdirSync(cacheFolder(), { recursive: true });
    const work = mkdtempSync(join(cacheFolder(), '.cdk-'));
    execFileSync('npm', ['install', '--silent', '--ignore-scripts', '--prefix', work, ...LIBRARIES], { cwd: work });
    renameSync(work, folder);
  }
  return join(folder, 'node_modules');
}

describe('the CDK stack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-'));
  let released: Template;

  beforeAll(async () => {
    symlinkSync(libraries(), join(folder, 'node_modules'));
    cpSync(CDK, join(folder, 'cdk'), { recursive: true });
    copyFileSync(join(import.meta.dirname, 'cdk-app.mjs'), join(folder, 'app.mjs'));
    const [config, built] = [join(folder, 'dispatch.yml'), join(folder, 'built')];
    const target = 'targets: { default: { namespace: one, access: { kind: in-cluster } } }';
    writeFileSync(config, `${target}\nallow: { jarBuckets: [of-team-a] }\n`);
    await buildRelease(built);
    const argv = [
      '--stack',
      'flink-dispatch-x',
      '--release',
      built,
      '--config',
      config,
      '--to',
      join(folder, 'release'),
    ];
    expect((await runCli(['deploy', ...argv])).code).toBe(0);
    released = JSON.parse(readFileSync(join(folder, 'release', 'template.json'), 'utf8')) as Template;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function synthesized(parameters: Readonly<Record<string, string>> = {}): Template & { readonly output: unknown } {
    const argv = ['app.mjs', JSON.stringify(parameters)];
    const output = execFileSync(process.execPath, argv, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const template = JSON.parse(
      readFileSync(join(folder, 'out', 'flink-dispatch-x.template.json'), 'utf8'),
    ) as Template;
    return { ...template, output: JSON.parse(output) };
  }

  it('has what the release has, with the code as assets', () => {
    const made = synthesized();
    for (const [id, resource] of Object.entries(released.Resources)) {
      const found = made.Resources[id];
      const { Code, ...others } = { ...found?.Properties };
      const { Code: before, ...same } = resource.Properties;
      expect([id, found?.Type, others]).toEqual([id, resource.Type, same]);
      if (resource.Type === 'AWS::Lambda::Function') expect(before).toHaveProperty('S3Bucket');
      if (resource.Type === 'AWS::Lambda::Function')
        expect(Code).toMatchObject({
          S3Bucket: expect.anything() as unknown,
          S3Key: expect.stringMatching(/^\w{64}\.zip$/) as string,
        });
    }
    expect(made.output).toEqual({ Ref: 'Messages' });
    expect(JSON.stringify(made.Resources)).toContain('of-team-a');
  });

  it('stores the configuration when what it needs is there', () => {
    const { Resources } = synthesized();
    const [stored] = Object.values(Resources).filter(({ Type }) => Type === 'Custom::CDKBucketDeployment');
    expect(stored?.Properties).toMatchObject({
      DestinationBucketName: { Ref: 'LedgerBucket' },
      DestinationBucketKeyPrefix: 'config',
      Prune: false,
    });
    expect(stored?.DependsOn).toContain('FurtherJarBucketsPolicy');
  });

  it('takes parameters, of those that there are', () => {
    const { Parameters, Resources } = synthesized({ Concurrency: '20', LedgerBucketName: 'ours' });
    expect(Object.keys(Parameters)).not.toContain('Concurrency');
    expect(Object.keys(Parameters)).not.toContain('CodeBucket');
    expect(JSON.stringify(Resources)).toContain('"DestinationBucketName":"ours"');
    expect(() => synthesized({ Concurency: '20' })).toThrow('Concurency');
    expect(() => synthesized({ CodeBucket: 'mine' })).toThrow('the zips are assets');
  });
});
