import type { RunId } from '../../core/ids.ts';
import type { RunRecord } from '../record.ts';

export interface Versioned<T> {
  readonly value: T;
  /** Opaque; S3's ETag. */
  readonly version: string;
}

/**
 * Run records, each changed only by who last read it. Methods throw DispatchError `StorageUnavailable` when the answer
 * is lost: the write may or may not have happened, and a re-read tells.
 */
export interface Ledger {
  /** `exists`: somebody else's record, or our own earlier work, stands. */
  create(record: RunRecord): Promise<{ readonly kind: 'created' | 'exists' } & Versioned<RunRecord>>;
  read(runId: RunId): Promise<Versioned<RunRecord> | undefined>;
  /**
   * `undefined`: the record changed since it was read; read again.
   * @param before what was read, for whoever may change what a list shows of the run
   */
  replace(record: RunRecord, version: string, before?: RunRecord): Promise<Versioned<RunRecord> | undefined>;
}
