import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../lib/core/aws-error.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { isDeploymentId } from '../../lib/core/ids.ts';
import { mapConcurrent } from '../../lib/core/map-concurrent.ts';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import { pathStyle } from '../../lib/http/path-style.ts';
import type { Deployments } from '../../lib/deployment/store/deployments.ts';
import { createS3Deployments } from '../../lib/deployment/store/s3-deployments.ts';
import type { OrderDeps } from '../../lib/operate/order-run.ts';
import { readSchedules } from '../../lib/operate/schedule/aws-schedules.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createSqsRunQueue } from '../../lib/run/store/sqs-run-queue.ts';
import { actionsOn } from '../../lib/view/server/actions.ts';
import type { ViewPorts } from '../../lib/view/server/ports.ts';
import { s3RunPorts } from '../../lib/view/server/s3-ports.ts';
import { generationChanges } from '../../lib/view/stream-diff.ts';
import { systemClock as clock } from '../clock.ts';
import { log } from '../telemetry.ts';
import type { PageConfig } from './config.ts';

/** Streams of which something may still become. */
const MOST_STREAMS = 1_000;
const READS_AT_ONCE = 16;

/** What the page behind the URL reads, of all tenants, and asks for where it may. */
export function pagePorts(config: PageConfig): ViewPorts {
  const s3 = new S3Client(pathStyle(process.env));
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const bucket = { s3, bucket: config.LEDGER_BUCKET };
  const ledger = createS3Ledger(bucket);
  const deployments = createS3Deployments(bucket);
  const runQueue = createSqsRunQueue({ sqs, queueUrl: config.RUN_QUEUE_URL });
  const scheduler = new SchedulerClient();
  return {
    ledger: config.LEDGER_BUCKET,
    clock,
    log,
    ...s3RunPorts(bucket),
    streams: () => streamsOf(deployments),
    stream: (named) => streamNamed(named, deployments),
    changes: (record, generations) => generationChanges(record, generations, deployments),
    schedules: () => readSchedules(scheduler, config.SCHEDULE_GROUP),
    ...(config.PAGE === 'act' && { actions: actions({ ledger, deployments, runQueue, clock, log }, sqs, config) }),
  };
}

function actions(deps: OrderDeps, sqs: SQSClient, { MESSAGE_QUEUE_URL: queueUrl }: PageConfig) {
  return actionsOn(deps, async (body) => {
    const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) });
    await sqs.send(command).catch((error: unknown) => {
      throw fromAwsError(error, { action: 'sqs:SendMessage', resource: queueUrl });
    });
  });
}

async function streamsOf(deployments: Deployments): Promise<readonly DeploymentRecord[]> {
  const live = await deployments.list({ limit: MOST_STREAMS });
  const read = await mapConcurrent(live, READS_AT_ONCE, async ({ id }) => (await deployments.read(id))?.value);
  return read.filter((record) => record !== undefined);
}

async function streamNamed(named: string, deployments: Deployments): Promise<DeploymentRecord> {
  const byId = isDeploymentId(named) ? (await deployments.read(named))?.value : undefined;
  const found = byId ?? (await streamsOf(deployments)).find(({ name }) => name === named);
  if (found !== undefined) return found;
  throw new DispatchError('RunNotFound', `there is no stream '${named.slice(0, 100)}'`);
}
