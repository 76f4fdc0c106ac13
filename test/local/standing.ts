import { CloudFormationClient, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, ListEventBusesCommand } from '@aws-sdk/client-eventbridge';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListScheduleGroupsCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import type { AwsServer } from '../../infra/local/aws/ministack.ts';

/** What an account has beside what every account has. */
export async function standing(aws: AwsServer): Promise<Readonly<Record<string, readonly string[]>>> {
  const options = clientConfig(aws);
  const [stacks, buckets, queues, buses, groups] = await Promise.all([
    new CloudFormationClient(options).send(new ListStacksCommand({})),
    new S3Client({ ...options, forcePathStyle: true }).send(new ListBucketsCommand({})),
    new SQSClient(options).send(new ListQueuesCommand({})),
    new EventBridgeClient(options).send(new ListEventBusesCommand({})),
    new SchedulerClient(options).send(new ListScheduleGroupsCommand({})),
  ]);
  const named = (found: readonly { readonly Name?: string | undefined }[] = []): string[] =>
    found.map(({ Name = '' }) => Name).filter((name) => name !== 'default');
  return {
    stacks: (stacks.StackSummaries ?? [])
      .filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE')
      .map(({ StackName = '' }) => StackName),
    buckets: named(buckets.Buckets),
    queues: queues.QueueUrls ?? [],
    buses: named(buses.EventBuses),
    groups: named(groups.ScheduleGroups),
  };
}
