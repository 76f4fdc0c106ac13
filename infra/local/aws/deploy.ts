import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CONFIG_KEY } from '../../../lib/install/stored-config.ts';
import { run } from '../process.ts';
import { hostEnvironment, type AwsServer } from './ministack.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
/** What `osls deploy` reads beside serverless.yml, which it takes as a plain file only. */
const PARTS = ['package.json', 'tsconfig.json', 'node_modules', 'functions', 'lib', 'infra'];

export interface Deployment {
  readonly stackName: string;
  readonly jarBucket: string;
  readonly ledgerBucket: string;
  readonly messageQueueUrl: string;
  readonly runQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly eventBusName: string;
  readonly scheduleGroupName: string;
  readonly scheduleRoleArn: string;
  readonly scheduleTargetArn: string;
}

export interface DeployOptions {
  /** Gets what osls writes; the caller removes it. */
  readonly folder: string;
  readonly stage: string;
  /** `--param` of serverless.yml. */
  readonly params: Readonly<Record<string, string>>;
}

/** Deploys the project's own serverless.yml. @throws Error with the end of osls' output. */
export async function deploy(server: AwsServer, options: DeployOptions): Promise<Deployment> {
  const folder = await serviceFolder(options.folder);
  await osls(['deploy', ...oslsArguments(options)], folder, join(options.folder, 'deploy.log'), server.environment);
  const deployment = await readOutputs(server, `flink-dispatch-${options.stage}`);
  const s3 = new S3Client({ ...clientConfig(server), forcePathStyle: true });
  const Body = await readFile(options.params['config'] ?? join(PROJECT, 'infra', 'dispatch.yml'));
  await s3.send(new PutObjectCommand({ Bucket: deployment.ledgerBucket, Key: CONFIG_KEY, Body }));
  s3.destroy();
  return deployment;
}

/** Takes away what `deploy` made with the same options, as `npx osls remove` does. */
export async function undeploy(server: AwsServer, options: DeployOptions): Promise<void> {
  const folder = join(options.folder, 'service');
  await osls(['remove', ...oslsArguments(options)], folder, join(options.folder, 'remove.log'), server.environment);
}

/** Makes the CloudFormation template and the zips in `<folder>/package`, without any AWS. Answers that folder. */
export async function packageService(options: DeployOptions): Promise<string> {
  const folder = await serviceFolder(options.folder);
  const output = join(options.folder, 'package');
  await osls(['package', '--package', output, ...oslsArguments(options)], folder, join(options.folder, 'package.log'));
  return output;
}

function oslsArguments({ stage, params }: DeployOptions): string[] {
  return ['--stage', stage, ...Object.entries(params).map(([name, value]) => `--param=${name}=${value}`)];
}

async function osls(
  args: readonly string[],
  folder: string,
  logFile: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = join(dirname(createRequire(import.meta.url).resolve('osls/package.json')), 'bin', 'serverless.js');
  await run(process.execPath, [program, ...args], {
    folder,
    logFile,
    environment: {
      ...hostEnvironment(),
      ...environment,
      // Five seconds by default: AWS needs minutes for a stack, a local server less than one.
      SLS_AWS_MONITORING_FREQUENCY: '100',
    },
  });
}

/** A folder of its own for what osls and esbuild write, so that two stacks can be deployed from one clone at once. */
async function serviceFolder(folder: string): Promise<string> {
  const service = join(folder, 'service');
  await mkdir(service);
  await copyFile(join(PROJECT, 'serverless.yml'), join(service, 'serverless.yml'));
  await Promise.all(PARTS.map((part) => symlink(join(PROJECT, part), join(service, part))));
  return service;
}

async function readOutputs(server: AwsServer, stackName: string): Promise<Deployment> {
  const client = new CloudFormationClient(clientConfig(server));
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
  const outputs = new Map((Stacks?.[0]?.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue]));
  const output = (key: string): string => {
    const value = outputs.get(key);
    if (value === undefined) throw new Error(`the stack ${stackName} has no output ${key}`);
    return value;
  };
  return {
    stackName,
    jarBucket: output('JarBucketName'),
    ledgerBucket: output('LedgerBucketName'),
    messageQueueUrl: output('MessageQueueUrl'),
    runQueueUrl: output('RunQueueUrl'),
    deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    eventBusName: output('EventBusName'),
    scheduleGroupName: output('ScheduleGroupName'),
    scheduleRoleArn: output('ScheduleRoleArn'),
    scheduleTargetArn: output('ScheduleTargetArn'),
  };
}

export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function clientConfig(server: Pick<AwsServer, 'url' | 'environment'>): ClientConfig {
  const { AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = server.environment;
  return {
    endpoint: server.url,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  };
}
