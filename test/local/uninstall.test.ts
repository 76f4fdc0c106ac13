import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, ListEventBusesCommand } from '@aws-sdk/client-eventbridge';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListScheduleGroupsCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig, deploy, undeploy, type Deployment } from '../../infra/local/aws/deploy.ts';
import { startAws, type AwsServer } from '../../infra/local/aws/ministack.ts';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '') process.stderr.write(`SKIPPED: taking the deployment away is not tested: it needs ${lacking}\n`);

describe.skipIf(lacking !== '')('a deployment that is taken away', () => {
  let folder: string;
  let aws: AwsServer;
  let deployment: Deployment;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uninstall-test-'));
    aws = await startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent });
  });
  afterAll(async () => {
    await aws.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function standing(): Promise<Record<string, string[]>> {
    const config = clientConfig(aws);
    const [buckets, queues, buses, groups] = await Promise.all([
      new S3Client({ ...config, forcePathStyle: true }).send(new ListBucketsCommand({})),
      new SQSClient(config).send(new ListQueuesCommand({})),
      new EventBridgeClient(config).send(new ListEventBusesCommand({})),
      new SchedulerClient(config).send(new ListScheduleGroupsCommand({})),
    ]);
    return {
      buckets: (buckets.Buckets ?? []).map(({ Name = '' }) => Name).sort(),
      queues: queues.QueueUrls ?? [],
      buses: (buses.EventBuses ?? []).map(({ Name = '' }) => Name).filter((name) => name !== 'default'),
      groups: (groups.ScheduleGroups ?? []).map(({ Name = '' }) => Name).filter((name) => name !== 'default'),
    };
  }

  it('leaves the two buckets with what runs have written, and nothing else', async () => {
    const options = { folder, stage: 'gone', params: {} };
    deployment = await deploy(aws, options);
    const before = await standing();
    for (const kind of ['queues', 'buses', 'groups']) expect(before[kind]).not.toEqual([]);
    await undeploy(aws, options);
    const { jarBucket, ledgerBucket, stackName } = deployment;
    expect(await standing()).toEqual({ buckets: [jarBucket, ledgerBucket].sort(), queues: [], buses: [], groups: [] });
    const stacks = new CloudFormationClient(clientConfig(aws)).send(
      new DescribeStacksCommand({ StackName: stackName }),
    );
    const { Stacks = [] } = await stacks.catch(() => ({ Stacks: [] }));
    expect(Stacks.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE')).toEqual([]);
  });
});
