import { S3Client } from '@aws-sdk/client-s3';
import { defined } from '../../../lib/core/defined.ts';
import { isRunId, type RunId } from '../../../lib/core/ids.ts';
import { evidencePrefix } from '../../../lib/run/store/evidence-store.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns } from '../../../lib/run/store/s3-live-runs.ts';
import { getText } from '../../../lib/run/store/s3-objects.ts';
import { withFix } from './aws-fix.ts';
import { valueOf } from './command.ts';
import type { ParsedFlags } from './flags/flags.ts';
import type { Io } from './terminal/io.ts';
import { foldersBelow } from './ledger-folders.ts';
import { UsageError } from './flags/usage.ts';

const RUNS = 'runs/';

/** What a person reads of a deployment's ledger. Methods throw DispatchError as `fromAwsError`. */
export interface LedgerReader {
  /** Ids of runs that are not closed. */
  live(limit: number, tenant?: string): Promise<readonly RunId[]>;
  /** Ids of runs, in no order. */
  all(limit: number): Promise<readonly RunId[]>;
  /** @throws UsageError when there is no such run */
  read(runId: string): Promise<RunRecord>;
  /** The text of a piece of evidence; undefined when it is gone. */
  evidence(runId: RunId, attempt: number, name: string): Promise<string | undefined>;
}

/** @throws UsageError when no bucket is named */
export function openLedger(io: Io, parsed: ParsedFlags): LedgerReader {
  const bucket = valueOf(parsed, 'ledger') ?? io.env['FLINK_DISPATCH_LEDGER'];
  if (!bucket) throw new UsageError('which ledger? Give --ledger <bucket>, or set FLINK_DISPATCH_LEDGER');
  const s3 = new S3Client({ forcePathStyle: io.env['AWS_ENDPOINT_URL'] !== undefined });
  const ledger = createS3Ledger({ s3, bucket });
  const liveRuns = createS3LiveRuns({ s3, bucket });
  const helped = async <T>(call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw withFix(error, bucket, io.env);
    });
  return {
    live: async (limit, tenant) =>
      (await helped(liveRuns.list({ limit, ...defined({ tenant }) }))).map(({ runId }) => runId),
    all: async (limit) => {
      const ids = await helped(foldersBelow({ s3, bucket, prefix: RUNS }, isRunId, limit));
      return ids.slice(0, limit);
    },
    async read(runId) {
      if (!isRunId(runId)) throw new UsageError(`'${runId}' is no run id: 20 hexadecimal digits, as events show them`);
      const stored = await helped(ledger.read(runId));
      if (stored === undefined) throw new UsageError(`ledger ${bucket} has no run ${runId}`);
      return stored.value;
    },
    async evidence(runId, attempt, name) {
      return (await helped(getText({ s3, bucket }, evidencePrefix(runId, attempt) + name)))?.text;
    },
  };
}
