import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import type { InstallClients } from '../../../packages/cli/src/install/clients.ts';
import { deployRelease } from '../../../packages/cli/src/install/deploy-release.ts';
import { readRelease } from '../../../packages/cli/src/install/release.ts';
import type { AwsServer } from './ministack.ts';

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
  readonly stack: string;
  /** As `buildRelease` makes it. */
  readonly release: string;
  /** The text of the dispatch configuration. */
  readonly config: string;
  /** Of the template. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Deploys a release as `flink-dispatch deploy --yes` does. @throws Error with what failed */
export async function deploy(server: AwsServer, options: DeployOptions): Promise<Deployment> {
  const { stack, release, config: text, parameters = {} } = options;
  const clients = installClients(server);
  try {
    const config = { text, config: parseDispatchConfig(text) };
    const wish = { stack, release: readRelease(release), config, codeBucket: undefined, parameters, tags: {} };
    const deployed = await deployRelease(wish, () => Promise.resolve(true), clients);
    if (deployed.kind === 'failed') throw new Error(`${stack}: ${deployed.status}\n${deployed.failures.join('\n')}`);
    return deploymentOf(stack, deployed.state?.outputs ?? {});
  } finally {
    for (const client of [clients.cloudFormation, clients.s3, clients.sts]) client.destroy();
  }
}

function installClients(server: AwsServer): InstallClients {
  const config = clientConfig(server);
  return {
    cloudFormation: new CloudFormationClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    sts: new STSClient(config),
    endpoint: server.url,
    env: server.environment,
    clock: { now: () => Date.now(), sleep: (ms) => sleep(ms) },
  };
}

function deploymentOf(stackName: string, outputs: Readonly<Record<string, string>>): Deployment {
  const output = (key: string): string => {
    const value = outputs[key];
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
