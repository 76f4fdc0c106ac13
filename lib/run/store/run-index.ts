import type { Instant } from '../../core/clock.ts';
import type { RunId } from '../../core/ids.ts';
import type { RunRecord } from '../record.ts';
import type { RunRow } from '../row.ts';

/** The rows of runs that are closed. Methods throw DispatchError `StorageUnavailable`, `PermissionDenied`. */
export interface RunIndex {
  /** Puts the row of a closed run there; again is no harm. */
  keep(run: RunRecord): Promise<void>;
  /**
   * Moves rows of older runs, once they are many, to a sheet. Stopped anywhere, or done twice at a time, it loses none.
   * @returns how many rows it moved
   */
  fold(): Promise<number>;
}

export interface RowWish {
  /** At most so many. */
  readonly limit: number;
  /** Accepted at this time or later. */
  readonly since?: Instant;
  readonly matches: (row: RunRow) => boolean;
}

/** All runs of a ledger, those that are not closed among them. Methods throw as those of `RunIndex`. */
export interface RunList {
  /** The newest first. Reads no record: 10,000 closed runs take at most five requests. */
  rows(wish: RowWish): Promise<readonly RunRow[]>;
  /** Ids that begin so, at most `most`. */
  ids(prefix: string, most: number): Promise<readonly RunId[]>;
}
