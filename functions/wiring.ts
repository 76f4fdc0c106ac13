import { randomUUID } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DispatchDeps } from '../lib/dispatch/deps.ts';
import { createDelivery } from '../lib/delivery/create-delivery.ts';
import type { BundleDeps } from '../lib/delivery/bundle.ts';
import { s3ClassArchives } from '../lib/delivery/classes/archives.ts';
import { signedUrls } from '../lib/delivery/signed-urls.ts';
import { stateStorageOf, type DispatchConfig } from '../lib/job/config/dispatch-config.ts';
import { s3JarBytes } from '../lib/job/jar/s3-jar-bytes.ts';
import { s3Pins } from '../lib/job/jar/s3-pins.ts';
import { createEventBridgeDestination } from '../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../lib/outcome/open-destination.ts';
import { createPublisher } from '../lib/outcome/publisher.ts';
import { createS3EvidenceStore } from '../lib/run/store/s3-evidence-store.ts';
import { createS3ArchiveStore } from '../lib/run/store/history/s3-archive-store.ts';
import { createS3SampleStore } from '../lib/run/store/history/s3-sample-store.ts';
import { createS3Locks } from '../lib/run/store/s3-locks.ts';
import { createS3SessionLeases } from '../lib/run/store/s3-session-leases.ts';
import { s3StateStorages } from '../lib/state/s3-state-storage.ts';
import { reportOf } from '../lib/view/report/report.ts';
import type { RunRecord } from '../lib/run/record.ts';
import { onceWired } from './base-wiring.ts';
import type { BundlerParts } from './bundler.ts';
import type { Config } from './config.ts';
import { createTargets } from './targets.ts';
import { taskCallbacks } from './task-callbacks.ts';
import { metrics } from './telemetry.ts';

/** What the function that follows runs is made of. */
export interface Wiring {
  readonly deployment: DispatchConfig;
  readonly dispatch: DispatchDeps;
}

const INLINE_WAIT = 15_000;

export const wiring: () => Promise<Wiring> = onceWired(({ config, deployment, s3, sqs, common }) => {
  const ledgerBucket = { s3, bucket: config.LEDGER_BUCKET };
  const pins = s3Pins({ ...ledgerBucket, clock: common.clock });
  const dispatch = {
    ...common,
    locks: createS3Locks(ledgerBucket),
    evidence: createS3EvidenceStore(ledgerBucket),
    reportOf: (run: RunRecord) => reportOf(run, config.LEDGER_BUCKET),
    samples: createS3SampleStore(ledgerBucket),
    archives: createS3ArchiveStore(ledgerBucket),
    publisher: publisherFor(config, sqs),
    callbacks: taskCallbacks(),
    targets: createTargets(deployment, s3),
    keepJar: pins.refresh,
    state: s3StateStorages({ s3, allowed: stateStorageOf(deployment) }),
    deliver: createDelivery(deployment, {
      sign: signedUrls(s3),
      clock: common.clock,
      log: common.log,
      archives: s3ClassArchives({ ...ledgerBucket, keep: pins.refresh }),
      bundle: bundlerOf({ deployment, s3, ledgerBucket: config.LEDGER_BUCKET, pin: pins.pin, clock: common.clock }),
    }),
    sessions: { leases: createS3SessionLeases(ledgerBucket), jarBytes: s3JarBytes(s3), submitter: randomUUID() },
    inlineWait: INLINE_WAIT,
    metrics,
  };
  return { deployment, dispatch };
});

/** Loaded when a jar is first bundled. */
function bundlerOf(parts: BundlerParts): () => Promise<BundleDeps> {
  let made: Promise<BundleDeps> | undefined;
  return () => (made ??= import('./bundler.ts').then(({ createBundler }) => createBundler(parts)));
}

function publisherFor(config: Config, sqs: SQSClient): DispatchDeps['publisher'] {
  let sns: SNSClient | undefined;
  const open = (address: string): ReturnType<typeof openDestination> =>
    openDestination(address, { sqs: () => sqs, sns: () => (sns ??= new SNSClient()) });
  const bus = createEventBridgeDestination({ eventBridge: new EventBridgeClient(), bus: config.EVENT_BUS_NAME });
  const further = [config.EVENT_QUEUE_URL, config.EVENT_TOPIC_ARN].filter((address) => address !== undefined);
  return createPublisher({ destinations: [bus, ...further.map(open)], open });
}
