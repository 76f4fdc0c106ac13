import { S3Client } from '@aws-sdk/client-s3';
import { withFix } from './aws-fix.ts';
import type { ParsedFlags } from './flags/flags.ts';
import { requirePart } from './stack.ts';
import type { Io } from './terminal/io.ts';
import { pathStyle } from '../../../lib/http/path-style.ts';

/** The bucket of a ledger, for what a person writes there and reads. */
export interface LedgerBucket {
  readonly s3: S3Client;
  readonly bucket: string;
  /** The answer, or what the person can do about its failure. */
  readonly asked: <T>(call: Promise<T>) => Promise<T>;
}

/** @throws UsageError when no bucket is named */
export async function openLedgerBucket(io: Io, parsed: ParsedFlags): Promise<LedgerBucket> {
  const bucket = await requirePart(io, parsed, 'ledger');
  const s3 = new S3Client(pathStyle(io.env));
  const asked = <T>(call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw withFix(error, bucket, io.env);
    });
  return { s3, bucket, asked };
}
