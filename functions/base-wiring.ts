import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { AcceptDeps } from '../lib/dispatch/accept.ts';
import type { DispatchDeps } from '../lib/dispatch/deps.ts';
import { parseDispatchConfig, type DispatchConfig } from '../lib/job/config/dispatch-config.ts';
import { createS3Deployments } from '../lib/deployment/store/s3-deployments.ts';
import { createS3Ledger } from '../lib/run/store/s3-ledger.ts';
import { createSqsDeadLetters } from '../lib/run/store/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../lib/run/store/sqs-run-queue.ts';
import { systemClock } from './clock.ts';
import { readConfig, type Config } from './config.ts';
import { log } from './telemetry.ts';

/** What every function is made of. */
export interface Base {
  readonly config: Config;
  readonly deployment: DispatchConfig;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly common: Pick<
    AcceptDeps & DispatchDeps,
    'ledger' | 'deployments' | 'runQueue' | 'deadLetters' | 'clock' | 'log'
  >;
}

/** `make`, once per execution environment, and again when the first attempt failed. */
export function onceWired<T>(make: (base: Base) => T): () => Promise<T> {
  let wired: Promise<T> | undefined;
  return () =>
    (wired ??= wireBase(readConfig(process.env))
      .then(make)
      .catch((error: unknown) => {
        wired = undefined;
        throw error;
      }));
}

async function wireBase(config: Config): Promise<Base> {
  const deployment = parseDispatchConfig(
    await readFile(resolve(config.LAMBDA_TASK_ROOT, config.DISPATCH_CONFIG), 'utf8'),
    config.DISPATCH_CONFIG,
  );
  const s3 = new S3Client({ forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined });
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const common = {
    ledger: createS3Ledger({ s3, bucket: config.LEDGER_BUCKET }),
    deployments: createS3Deployments({ s3, bucket: config.LEDGER_BUCKET }),
    runQueue: createSqsRunQueue({ sqs, queueUrl: config.RUN_QUEUE_URL }),
    deadLetters: createSqsDeadLetters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL }),
    clock: systemClock,
    log,
  };
  return { config, deployment, s3, sqs, common };
}
