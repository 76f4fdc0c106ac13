import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { isDeploymentId, type DeploymentId } from '../../../lib/core/ids.ts';
import { pathStyle } from '../../../lib/http/path-style.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Deployments } from '../../../lib/deployment/store/deployments.ts';
import { createS3Deployments } from '../../../lib/deployment/store/s3-deployments.ts';
import type { RunQueue } from '../../../lib/run/store/run-queue.ts';
import { createSqsRunQueue } from '../../../lib/run/store/sqs-run-queue.ts';
import { withFix } from './aws-fix.ts';
import type { ParsedFlags } from './flags/flags.ts';
import { UsageError } from './flags/usage.ts';
import { foldersBelow } from './ledger-folders.ts';
import { partOf, requirePart } from './stack.ts';
import type { Io } from './terminal/io.ts';

const PREFIX = 'deployments/';
const MOST = 1000;

/** What a person reads and wants of a ledger's deployments. Methods throw DispatchError as `fromAwsError`. */
export interface DeploymentLedger {
  readonly store: Deployments;
  /** Undefined when no queue is named: then the sweeper finds what is wanted. */
  readonly queue: RunQueue | undefined;
  /** Those of which something may still become, or all. */
  all(everything: boolean): Promise<readonly DeploymentRecord[]>;
  /** By its id, or by its name where only one has it. @throws UsageError */
  find(idOrName: string): Promise<DeploymentRecord>;
}

/** @throws UsageError when no bucket is named */
export async function openDeployments(io: Io, parsed: ParsedFlags): Promise<DeploymentLedger> {
  const bucket = await requirePart(io, parsed, 'ledger');
  const queueUrl = await partOf(io, parsed, 'runQueue');
  const s3 = new S3Client(pathStyle(io.env));
  const store = createS3Deployments({ s3, bucket });
  const helped = async <T>(call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw withFix(error, bucket, io.env);
    });
  const read = async (id: DeploymentId) => (await helped(store.read(id)))?.value;
  const all = async (everything: boolean): Promise<readonly DeploymentRecord[]> => {
    const ids = everything
      ? await helped(foldersBelow({ s3, bucket, prefix: PREFIX }, isDeploymentId, MOST))
      : (await helped(store.list({ limit: MOST }))).map(({ id }) => id);
    return (await Promise.all(ids.map(read))).filter((record) => record !== undefined);
  };
  return {
    store,
    queue: queueUrl ? createSqsRunQueue({ sqs: new SQSClient({ useQueueUrlAsEndpoint: false }), queueUrl }) : undefined,
    all,
    async find(idOrName) {
      const byId = isDeploymentId(idOrName) ? await read(idOrName) : undefined;
      if (byId !== undefined) return byId;
      return theOnly(
        (await all(true)).filter(({ name }) => name === idOrName),
        idOrName,
        bucket,
      );
    },
  };
}

function theOnly(found: readonly DeploymentRecord[], name: string, bucket: string): DeploymentRecord {
  const [only, ...more] = found;
  if (only === undefined) {
    throw new UsageError(`ledger ${bucket} has no deployment '${name}': deployments list --all shows them`);
  }
  if (more.length === 0) return only;
  const places = found.map(({ id, target, namespace }) => `${id} (${target}, ${namespace})`).join(', ');
  throw new UsageError(`${found.length} deployments are called '${name}': name one by its id, of ${places}`);
}
