import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../packages/cli/test/run-cli.ts';

const MODULE = join(import.meta.dirname, '../../infra/terraform');
const PARAMETERS = join(import.meta.dirname, '../../infra/aws/parameters.yml');
const lacking = ['terraform', 'go'].filter((program) => spawnSync(program, ['version']).error !== undefined).join(', ');
if (lacking !== '') process.stderr.write(`SKIPPED: the Terraform module is not tested: it needs ${lacking}\n`);

function parameters(): object {
  const read: unknown = parse(readFileSync(PARAMETERS, 'utf8'), { logLevel: 'error' });
  return (read as { readonly Parameters: object }).Parameters;
}

/** Terraform itself, with a provider that knows AWS' arguments and makes nothing. */
describe.skipIf(lacking !== '')('the Terraform module', () => {
  let [folder, root, release, calls] = ['', '', '', ''];
  let environment: NodeJS.ProcessEnv = {};

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'terraform-'));
    [root, release, calls] = [join(folder, 'root'), join(folder, 'release'), join(folder, 'calls')];
    const settings = join(folder, 'terraform.rc');
    environment = { ...process.env, TF_CLI_CONFIG_FILE: settings, CALLS: calls };
    const provider = ['build', '-o', join(folder, 'terraform-provider-aws'), '.'];
    execFileSync('go', provider, { cwd: join(import.meta.dirname, 'terraform') });
    cpSync(MODULE, root, { recursive: true });
    const overrides = `dev_overrides {\n"hashicorp/aws" = ${JSON.stringify(folder)}\n}`;
    writeFileSync(settings, `provider_installation {\n${overrides}\n}\n`);
    const config = 'targets: { default: { namespace: one, access: { kind: in-cluster } } }\n';
    writeFileSync(join(folder, 'dispatch.yml'), config);
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const terraform = (...argv: readonly string[]): string =>
    execFileSync('terraform', argv, {
      cwd: root,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const apply = (...vars: readonly string[]): string =>
    terraform(
      'apply',
      '-auto-approve',
      ...['stack=flink-dispatch-x', `release=${release}`, 'code_bucket=code', ...vars].map((one) => `-var=${one}`),
    );

  /** As the command line writes it, of a release with two functions. */
  async function written(version: string): Promise<void> {
    const made = join(folder, version);
    mkdirSync(made);
    const { Parameters } = parse(readFileSync(PARAMETERS, 'utf8')) as { Parameters: Record<string, object> };
    const template = {
      Parameters: { ...Parameters, CodeVersion: { Type: 'String', Default: version } },
      Resources: {},
    };
    writeFileSync(join(made, 'template.json'), JSON.stringify(template));
    for (const name of ['onMessage', 'advanceRun']) writeFileSync(join(made, `${name}.zip`), version);
    const argv = ['--stack', 'flink-dispatch-x', '--release', made, '--config', join(folder, 'dispatch.yml')];
    expect((await runCli(['deploy', ...argv, '--to', release])).code).toBe(0);
  }

  const called = (): readonly string[] => {
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    rmSync(calls, { force: true });
    return lines.map((line) => line.replace(/templates\/[0-9a-f]{16}/, 'templates/sum'));
  };
  const stack = (): Record<string, unknown> => {
    const { values } = JSON.parse(terraform('show', '-json')) as {
      values: { root_module: { resources: { type: string; values: Record<string, unknown> }[] } };
    };
    return values.root_module.resources.find(({ type }) => type === 'aws_cloudformation_stack')?.values ?? {};
  };

  it('is well formed', () => {
    expect(execFileSync('terraform', ['fmt', '-check', MODULE], { env: environment, encoding: 'utf8' })).toBe('');
    expect(terraform('validate')).toContain('The configuration is valid');
  });

  it('puts the release where the stack looks for it, and then the configuration', async () => {
    await written('1.0.0-one');
    apply('parameters={"Concurrency":"20"}', 'tags={"team":"data"}');
    const made = called();
    expect(made.slice(0, 3).toSorted()).toEqual([
      'create aws_s3_object flink-dispatch/1.0.0-one/advanceRun.zip',
      'create aws_s3_object flink-dispatch/1.0.0-one/onMessage.zip',
      'create aws_s3_object flink-dispatch/templates/sum.json',
    ]);
    expect(made.slice(3)).toEqual([
      'create aws_cloudformation_stack flink-dispatch-x',
      'create aws_s3_object config/dispatch.yml',
    ]);
    expect(stack()).toMatchObject({
      capabilities: ['CAPABILITY_IAM'],
      tags: { team: 'data' },
      template_url: expect.stringMatching(
        /^https:\/\/code\.s3\.[\w.-]+\/flink-dispatch\/templates\/\w{16}\.json$/,
      ) as string,
    });
    const given = stack()['parameters'] as Record<string, string>;
    expect(given).toEqual({
      ...{ CodeBucket: 'code', CodePrefix: 'flink-dispatch/', CodeVersion: '1.0.0-one', Concurrency: '20' },
    });
    expect(Object.keys(parameters())).toEqual(expect.arrayContaining(Object.keys(given)));
  });

  it('changes nothing by the same again, and no code by another configuration', () => {
    apply('parameters={"Concurrency":"20"}', 'tags={"team":"data"}');
    expect(called()).toEqual([]);
    writeFileSync(join(release, 'dispatch.yml'), '# another\n');
    apply('parameters={"Concurrency":"20"}', 'tags={"team":"data"}');
    expect(called()).toEqual(['update aws_s3_object config/dispatch.yml']);
  });

  it('lets the code of the release before go when the stack has the new one', async () => {
    await written('1.1.0-two');
    apply('parameters={"Concurrency":"20"}', 'tags={"team":"data"}');
    const made = called();
    const at = (call: string): number => made.findIndex((line) => line.startsWith(call));
    const update = at('update aws_cloudformation_stack');
    expect(at('create aws_s3_object flink-dispatch/1.1.0-two/onMessage.zip')).toBeGreaterThan(-1);
    expect(update).toBeGreaterThan(at('create aws_s3_object flink-dispatch/1.1.0-two/onMessage.zip'));
    expect(at('delete aws_s3_object flink-dispatch/1.0.0-one/onMessage.zip')).toBeGreaterThan(update);
    expect(stack()['parameters']).toMatchObject({ CodeVersion: '1.1.0-two' });
  });

  it('refuses a name that no stack can have', () => {
    expect(() => apply('stack=Flink_Dispatch')).toThrow('at most 41 lower-case letters');
  });
});
