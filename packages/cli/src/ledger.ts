import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createS3Deployments } from '../../../lib/deployment/store/s3-deployments.ts';
import { pathStyle } from '../../../lib/http/path-style.ts';
import type { OrderDeps } from '../../../lib/operate/order-run.ts';
import type { RunQueue } from '../../../lib/run/store/run-queue.ts';
import { createSqsRunQueue } from '../../../lib/run/store/sqs-run-queue.ts';
import { isDispatchError } from '../../../lib/core/errors.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { createS3EvidenceReader } from '../../../lib/run/store/s3-evidence-store.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import type { RowWish } from '../../../lib/run/store/run-index.ts';
import type { ReadArchive } from '../../../lib/run/store/history/archive-store.ts';
import { createS3ArchiveReader } from '../../../lib/run/store/history/s3-archive-store.ts';
import type { ReadSamples } from '../../../lib/run/store/history/sample-store.ts';
import { createS3SampleReader } from '../../../lib/run/store/history/s3-sample-store.ts';
import type { LockReader } from '../../../lib/run/store/locks.ts';
import { createS3LockReader } from '../../../lib/run/store/s3-locks.ts';
import { createS3RunList } from '../../../lib/run/store/s3-run-index.ts';
import type { RunRow } from '../../../lib/run/row.ts';
import { findRun } from '../../../lib/operate/find-run.ts';
import { withFix } from './aws-fix.ts';
import type { ParsedFlags } from './flags/flags.ts';
import { partOf, requirePart } from './stack.ts';
import type { Io } from './terminal/io.ts';
import { UsageError } from './flags/usage.ts';

/** What a person reads of a deployment's ledger. Methods throw DispatchError as `fromAwsError`. */
export interface LedgerReader {
  /** Of all runs, the newest first. */
  rows(wish: RowWish): Promise<readonly RunRow[]>;
  /** By its id, or the beginning of it. @throws UsageError when there is none, or several */
  read(runId: string): Promise<RunRecord>;
  /** What it takes to ask something of a run. */
  readonly orders: OrderDeps;
  /** The text of a piece of evidence; undefined when it is gone. */
  evidence(runId: RunId, attempt: number, name: string): Promise<string | undefined>;
  /** What was sampled of an attempt's job. */
  readonly samples: ReadSamples;
  /** What is archived of a job of an attempt. */
  readonly archive: ReadArchive;
  /** Who waits for a lock. */
  readonly lock: LockReader;
  readonly bucket: string;
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Without a queue the functions find what is asked for at their next look. */
function queueAt(queueUrl: string | undefined): RunQueue {
  if (queueUrl === undefined) return { send: () => Promise.resolve() };
  return createSqsRunQueue({ sqs: new SQSClient({ useQueueUrlAsEndpoint: false }), queueUrl });
}

/** @throws UsageError when no bucket is named */
export async function openLedger(io: Io, parsed: ParsedFlags): Promise<LedgerReader> {
  const bucket = await requirePart(io, parsed, 'ledger');
  const runQueue = await partOf(io, parsed, 'runQueue');
  const s3 = new S3Client(pathStyle(io.env));
  const ledger = createS3Ledger({ s3, bucket });
  const runs = createS3RunList({ s3, bucket });
  const readLock = createS3LockReader({ s3, bucket });
  const readEvidence = createS3EvidenceReader({ s3, bucket });
  const readArchive = createS3ArchiveReader({ s3, bucket });
  const readSamples = createS3SampleReader({ s3, bucket });
  const helped = async <T>(call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw withFix(error, bucket, io.env);
    });
  return {
    orders: {
      ledger,
      deployments: createS3Deployments({ s3, bucket }),
      runQueue: queueAt(runQueue),
      clock: io.clock,
      log: SILENT,
    },
    bucket,
    rows: (wish) => helped(runs.rows(wish)),
    lock: (name) => helped(readLock(name)),
    read: async (named) =>
      findRun(named, { kind: 'all' }, { ledger, runs }).catch((error: unknown) => {
        const wrongId =
          isDispatchError(error) && (error.reason === 'RunNotFound' || error.reason === 'MalformedRequest');
        throw wrongId ? new UsageError(`${error.message}; the ledger is ${bucket}`) : withFix(error, bucket, io.env);
      }),
    evidence: (...piece) => helped(readEvidence(...piece)),
    samples: (...attempt) => helped(readSamples(...attempt)),
    archive: (name) => helped(readArchive(name)),
  };
}
