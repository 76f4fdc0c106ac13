import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { AcceptDeps } from '../lib/dispatch/accept.ts';
import { pathStyle } from '../lib/http/path-style.ts';
import type { DispatchDeps } from '../lib/dispatch/deps.ts';
import { createConfigSource, type ConfigSource } from '../lib/install/config-source.ts';
import { createS3ConfigStore } from '../lib/install/s3-config-store.ts';
import type { DispatchConfig } from '../lib/job/config/dispatch-config.ts';
import { createS3Deployments } from '../lib/deployment/store/s3-deployments.ts';
import { createS3Ledger } from '../lib/run/store/s3-ledger.ts';
import { createSqsDeadLetters } from '../lib/run/store/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../lib/run/store/sqs-run-queue.ts';
import { systemClock } from './clock.ts';
import { readConfig, type Config } from './config.ts';
import { log, metrics } from './telemetry.ts';

/** What every function is made of. */
export interface Base {
  readonly config: Config;
  readonly deployment: DispatchConfig;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly common: Pick<
    AcceptDeps & DispatchDeps,
    'ledger' | 'deployments' | 'runQueue' | 'deadLetters' | 'eventContext' | 'clock' | 'log'
  >;
}

interface Wired<T> {
  readonly deployment: DispatchConfig;
  readonly value: T;
}

/** `make`, once per execution environment and configuration, and again when an attempt failed. */
export function onceWired<T>(make: (base: Base) => T, { keepsLastGood = false } = {}): () => Promise<T> {
  let environment: Environment | undefined;
  let wired: Wired<T> | undefined;
  return async () => {
    environment ??= wireEnvironment(readConfig(process.env), keepsLastGood);
    const deployment = await environment.source();
    if (wired?.deployment !== deployment) wired = { deployment, value: make({ ...environment.base, deployment }) };
    return wired.value;
  };
}

interface Environment {
  readonly base: Omit<Base, 'deployment'>;
  readonly source: ConfigSource;
}

/** What stays when the configuration changes. */
function wireEnvironment(config: Config, keepsLastGood: boolean): Environment {
  const s3 = new S3Client(pathStyle(process.env));
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const ledger = { s3, bucket: config.LEDGER_BUCKET };
  const common = {
    ledger: createS3Ledger(ledger),
    deployments: createS3Deployments(ledger),
    runQueue: createSqsRunQueue({ sqs, queueUrl: config.RUN_QUEUE_URL }),
    deadLetters: createSqsDeadLetters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL }),
    eventContext: { source: `/flink-dispatch/${config.STAGE}`, ledgerBucket: config.LEDGER_BUCKET },
    clock: systemClock,
    log,
  };
  const store = createS3ConfigStore(ledger);
  const source = createConfigSource({ store, clock: systemClock, log, metrics, keepsLastGood });
  return { base: { config, s3, sqs, common }, source };
}
