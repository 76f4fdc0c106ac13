import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { DispatchDeps, JarUris } from '../lib/dispatch/deps.ts';
import type { Deployment } from '../lib/job/deployment.ts';
import { createEventBridgeDestination } from '../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../lib/outcome/open-destination.ts';
import { createPublisher } from '../lib/outcome/publisher.ts';
import { createS3EvidenceStore } from '../lib/run/s3-evidence-store.ts';
import { createS3Locks } from '../lib/run/s3-locks.ts';
import { onceWired } from './base-wiring.ts';
import type { Config } from './config.ts';
import { createTargets } from './targets.ts';

/** What the functions that follow runs are made of. */
export interface Wiring {
  readonly deployment: Deployment;
  readonly dispatch: DispatchDeps;
}

const INLINE_WAIT = 15_000;

export const wiring: () => Promise<Wiring> = onceWired(({ config, deployment, s3, sqs, common }) => {
  const ledgerBucket = { s3, bucket: config.LEDGER_BUCKET };
  const dispatch = {
    ...common,
    locks: createS3Locks(ledgerBucket),
    evidence: createS3EvidenceStore(ledgerBucket),
    publisher: publisherFor(config, sqs),
    eventContext: { source: `/flink-dispatch/${config.STAGE}`, ledgerBucket: config.LEDGER_BUCKET },
    targets: createTargets(deployment, s3),
    jarUris: signedJarUris(deployment, s3),
    inlineWait: INLINE_WAIT,
  };
  return { deployment, dispatch };
});

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
