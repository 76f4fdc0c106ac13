import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { AcceptDeps } from '../lib/dispatch/accept.ts';
import type { DispatchDeps, JarUris } from '../lib/dispatch/deps.ts';
import { parseDeployment, type Deployment } from '../lib/job/deployment.ts';
import { s3Objects } from '../lib/job/s3-objects.ts';
import { storedJobsIn } from '../lib/job/stored-jobs.ts';
import { createEventBridgeDestination } from '../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../lib/outcome/open-destination.ts';
import { createPublisher } from '../lib/outcome/publisher.ts';
import { createS3EvidenceStore } from '../lib/run/s3-evidence-store.ts';
import { createS3Ledger } from '../lib/run/s3-ledger.ts';
import { createS3Locks } from '../lib/run/s3-locks.ts';
import { createSqsDeadLetters } from '../lib/run/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../lib/run/sqs-run-queue.ts';
import { systemClock } from './clock.ts';
import { readConfig, type Config } from './config.ts';
import { createTargets } from './targets.ts';

/** All that the functions are made of. */
export interface Wiring {
  readonly deployment: Deployment;
  readonly accept: AcceptDeps;
  readonly dispatch: DispatchDeps;
}

const INLINE_WAIT = 15_000;

let wired: Promise<Wiring> | undefined;

/** Made once per execution environment, and again when the first attempt failed. */
export function wiring(): Promise<Wiring> {
  wired ??= wire(readConfig(process.env)).catch((error: unknown) => {
    wired = undefined;
    throw error;
  });
  return wired;
}

async function wire(config: Config): Promise<Wiring> {
  const deployment = parseDeployment(
    await readFile(resolve(config.LAMBDA_TASK_ROOT, config.DISPATCH_CONFIG), 'utf8'),
    config.DISPATCH_CONFIG,
  );
  const s3 = new S3Client({ forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined });
  const sqs = new SQSClient();
  const ledgerBucket = { s3, bucket: config.LEDGER_BUCKET };
  const common = {
    ledger: createS3Ledger(ledgerBucket),
    runQueue: createSqsRunQueue({ sqs, queueUrl: config.RUN_QUEUE_URL }),
    deadLetters: createSqsDeadLetters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL }),
    clock: systemClock,
    log: createLog(config),
  };
  const objects = s3Objects(s3);
  return {
    deployment,
    accept: { ...common, prepare: { objects, storedJobs: storedJobsIn(objects, config.LEDGER_BUCKET), deployment } },
    dispatch: {
      ...common,
      locks: createS3Locks(ledgerBucket),
      evidence: createS3EvidenceStore(ledgerBucket),
      publisher: publisherFor(config, sqs),
      eventContext: { source: `/flink-dispatch/${config.STAGE}`, ledgerBucket: config.LEDGER_BUCKET },
      targets: createTargets(deployment, s3),
      jarUris: signedJarUris(deployment, s3),
      inlineWait: INLINE_WAIT,
    },
  };
}

function publisherFor(config: Config, sqs: SQSClient): DispatchDeps['publisher'] {
  let sns: SNSClient | undefined;
  const open = (address: string): ReturnType<typeof openDestination> =>
    openDestination(address, { sqs: () => sqs, sns: () => (sns ??= new SNSClient()) });
  const bus = createEventBridgeDestination({ eventBridge: new EventBridgeClient(), bus: config.EVENT_BUS_NAME });
  const further = [config.EVENT_QUEUE_URL, config.EVENT_TOPIC_ARN].filter((address) => address !== undefined);
  return createPublisher({ destinations: [bus, ...further.map(open)], open });
}

/** A signed URL ends with the credentials that signed it, or after the target's `urlTtl`. */
function signedJarUris(deployment: Deployment, s3: S3Client): JarUris {
  return async (jar, target) => {
    if (jar.s3 === undefined) return jar.uri;
    const { bucket, key, versionId } = jar.s3;
    const ttl = deployment.targets[target]?.jarDelivery.urlTtl ?? 0;
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(versionId === undefined ? {} : { VersionId: versionId }),
    });
    return getSignedUrl(s3, command, { expiresIn: Math.max(1, Math.floor(ttl / 1000)) });
  };
}

function createLog(config: Config): DispatchDeps['log'] {
  const logger = new Logger({ serviceName: `flink-dispatch-${config.STAGE}` });
  return {
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  };
}
