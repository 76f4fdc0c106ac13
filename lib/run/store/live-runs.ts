import type { Instant } from '../../core/clock.ts';
import type { RunId } from '../../core/ids.ts';

/** The marker of a run that is not closed, or whose marker a crash left behind. */
export interface LiveRun {
  readonly runId: RunId;
  /** Where it stands in the order of all markers: `<runId>`, of a tenant's run `<tenant>/<runId>`. */
  readonly place: string;
  /** When a function last set about creating the run's record. */
  readonly markedAt: Instant;
  /** Of the marker, opaque: marking the run again makes another one. */
  readonly version: string;
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
  /** Takes the marker away, unless the run was marked anew since it was listed. */
  forget(run: LiveRun): Promise<void>;
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
