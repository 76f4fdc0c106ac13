import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import { startAws, type AwsServer } from '../../infra/local/aws/ministack.ts';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { buildRelease } from '../../infra/release.ts';
import { CONFIG_KEY } from '../../lib/install/stored-config.ts';
import { runCli } from '../../packages/cli/test/run-cli.ts';
import { standing } from './standing.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '') process.stderr.write(`SKIPPED: installing is not tested: it needs ${lacking}\n`);

const STACK = 'flink-dispatch-try';
const LEDGER = `${STACK}-ledger-000000000000`;
const OURS = [`${STACK}-jars-000000000000`, LEDGER];
const CODE = 'flink-dispatch-code-000000000000-us-east-1';
const configOf = (bucket: string): string =>
  `targets: { default: { namespace: flink, access: { kind: in-cluster } } }\nallow: { jarBuckets: [${bucket}] }\n`;

describe.skipIf(lacking !== '')('an installation', () => {
  let folder: string;
  let aws: AwsServer;
  let config: string;
  const before = { ...process.env };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'install-test-'));
    config = join(folder, 'dispatch.yml');
    await buildRelease(join(folder, 'release'));
    aws = await startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent });
    // The clients of the command line read it.
    Object.assign(process.env, aws.environment);
  });
  afterAll(async () => {
    process.env = before;
    await aws.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (argv: readonly string[], input: readonly string[] = []) =>
    runCli([...argv, '--stack', STACK], { env: { ...aws.environment }, input });
  const deploy = (argv: readonly string[] = ['--yes'], input: readonly string[] = []) =>
    run(['deploy', '--release', join(folder, 'release'), '--config', config, ...argv], input);

  const NOTHING = { stacks: [], buckets: [CODE], queues: [], buses: [], groups: [] };

  it('is shown before it is made, and is not made without a yes', async () => {
    await writeFile(config, configOf('team-a'));
    const planned = await deploy(['--plan']);
    expect(planned).toMatchObject({ code: 0, out: '' });
    expect(planned.err).toMatch(/Add +2 +AWS::S3::Bucket\n/);
    expect(planned.err).toMatch(/follows from the configuration:\n\+ FurtherJarBucketsPolicy: .*team-a/);
    for (const input of [['no'], []]) expect(await deploy([], input)).toMatchObject({ code: 1, out: '' });
    expect(await standing(aws)).toEqual(NOTHING);
  });

  it('is made, has its configuration, and is not changed by the same again', async () => {
    expect((await deploy([], ['yes'])).code).toBe(0);
    expect((await run(['config', 'get'])).out).toBe(configOf('team-a'));
    const again = await deploy([]);
    expect(again.code).toBe(0);
    expect(again.err).not.toContain('will be');
    for (const found of Object.values(await standing(aws))) expect(found).not.toEqual([]);
  });

  it('has its rights follow another configuration, which is stored only then', async () => {
    await writeFile(config, configOf('team-b'));
    const refused = await run(['config', 'put', config], ['no']);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/Modify +AWS::IAM::ManagedPolicy +FurtherJarBucketsPolicy\n/);
    expect(refused.err).toMatch(/^- FurtherJarBucketsPolicy.*team-a.*\n\+ FurtherJarBucketsPolicy.*team-b/m);
    expect((await run(['config', 'get'])).out).toBe(configOf('team-a'));
    expect((await run(['config', 'put', config, '--yes'])).code).toBe(0);
    expect((await run(['config', 'get'])).out).toBe(configOf('team-b'));
    expect((await deploy([])).err).not.toContain('will be');
  });

  it('has its rights follow a configuration that was stored without them', async () => {
    await writeFile(config, configOf('team-c'));
    const s3 = new S3Client({ ...clientConfig(aws), forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: LEDGER, Key: CONFIG_KEY, Body: configOf('team-c') }));
    const followed = await run(['config', 'put', config, '--yes']);
    expect(followed.code).toBe(0);
    expect(followed.err).toMatch(/is the same already\n[^]*\n\+ FurtherJarBucketsPolicy.*team-c/);
    expect((await run(['config', 'put', config])).err).not.toContain('FurtherJarBucketsPolicy');
  });

  it('is changed by a parameter, of those that there are', async () => {
    const changed = await deploy(['--yes', '--parameter', 'Concurrency=20']);
    expect(changed.err).toMatch(/Modify +AWS::Lambda::Function +AdvanceRunLambdaFunction\n/);
    expect((await deploy(['--parameter', 'Concurency=20'])).err).toContain('did you mean Concurrency?');
    expect((await deploy(['--parameter', 'Architecture=sparc'])).code).toBe(2);
  });

  it('has a key of its own for what it keeps, and lets it go', async () => {
    const sqs = new SQSClient(clientConfig(aws));
    const keyOf = async (): Promise<string | undefined> => {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${STACK}-runs` }));
      const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
      return (await sqs.send(asked)).Attributes?.['KmsMasterKeyId'];
    };
    const key = 'arn:aws:kms:us-east-1:000000000000:key/0123';
    expect((await deploy(['--yes', '--parameter', `KmsKeyArn=${key}`])).code).toBe(0);
    expect(await keyOf()).toBe(key);
    expect((await deploy(['--yes', '--parameter', 'KmsKeyArn='])).code).toBe(0);
    expect((await keyOf()) ?? '').toBe('');
  });

  it('does not go while a run is live, and then goes but for its data', async () => {
    const s3 = new S3Client({ ...clientConfig(aws), forcePathStyle: true });
    const live = { Bucket: LEDGER, Key: 'live/0123456789abcdef0123' };
    await s3.send(new PutObjectCommand({ ...live, Body: 'live' }));
    expect((await run(['uninstall', '--yes'])).err).toContain('runs of flink-dispatch-try are live');
    await s3.send(new DeleteObjectCommand(live));
    expect((await run(['uninstall'])).code).toBe(1);
    const gone = await run(['uninstall', '--yes']);
    expect(gone).toMatchObject({ code: 0, out: 'flink-dispatch-try is gone\n' });
    for (const bucket of [...OURS, CODE]) expect(gone.err).toContain(`It stays: s3://${bucket}`);
    expect(await standing(aws)).toEqual({ ...NOTHING, buckets: [CODE, ...OURS] });
  });

  it('takes up what it has left when it comes again', async () => {
    const again = await deploy();
    expect(again.err).toMatch(/Import +2 +AWS::S3::Bucket\n/);
    expect(again.code).toBe(0);
    expect((await run(['config', 'get'])).out).toBe(configOf('team-c'));
    expect((await deploy([])).code).toBe(0);
    expect((await run(['uninstall', '--yes'])).code).toBe(0);
    expect(await standing(aws)).toEqual({ ...NOTHING, buckets: [CODE, ...OURS] });
  });
});
