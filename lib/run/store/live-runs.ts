import type { Instant } from '../../core/clock.ts';
import type { RunId } from '../../core/ids.ts';
import type { RunRecord } from '../record.ts';

/** The marker of a run that is not closed, or what a crash left behind of one. */
export interface LiveRun {
  readonly runId: RunId;
  /** Where it stands in the order of all markers: `<runId>`, of a tenant's run `<tenant>/<runId>`. */
  readonly place: string;
  /** When a function last set about creating the run's record. */
  readonly markedAt: Instant;
  /** Of the marker, opaque: marking the run again makes another one. Absent where rows alone were left. */
  readonly version?: string;
  /** Texts of its rows (`lib/run/row.ts`): one, but for a moment between two states and after a crash. */
  readonly rows: readonly string[];
}

export interface LivePage {
  readonly after?: string;
  readonly limit: number;
  readonly tenant?: string;
}

/** Which runs are not closed. Methods throw DispatchError `StorageUnavailable`, `PermissionDenied`. */
export interface LiveRuns {
  /** In the order of their places, at most `limit` after the place `after`; of one tenant alone where it is named. */
  list(page: LivePage): Promise<readonly LiveRun[]>;
  /** Takes the marker away, unless the run was marked anew since it was listed, and the rows that were listed. */
  forget(run: LiveRun): Promise<void>;
  /** Lets the row of the run's record take the place of those that were listed. False: it was the only one. */
  mend(run: LiveRun, record: RunRecord): Promise<boolean>;
}

/** Where the last sweep stopped; the next one goes on behind it. Absent: at the beginning. */
export interface SweepCursor {
  /** The place of a marker. */
  readonly run?: string;
  readonly deployment?: string;
  /** `target/namespace/cluster-id` */
  readonly cluster?: string;
}

/** Methods throw as those of `LiveRuns`. A place that is lost costs nothing but the turn of those behind it. */
export interface SweepCursors {
  read(): Promise<SweepCursor>;
  write(place: SweepCursor): Promise<void>;
}
