import type { Clock } from '../../core/clock.ts';
import type { RunId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import type { Scheduled } from '../../operate/schedule/scheduled.ts';
import type { RunRecord } from '../../run/record.ts';
import type { RunRow } from '../../run/row.ts';
import type { ReadSamples } from '../../run/store/history/sample-store.ts';
import type { LockReader } from '../../run/store/locks.ts';
import type { RowWish } from '../../run/store/run-index.ts';
import type { FieldChange } from '../field-diff.ts';
import type { Actions } from './actions.ts';

/** One thing that a deployment needs of a target, as `doctor` tells. */
export interface TargetCheck {
  readonly target: string;
  /** Absent for what holds for the whole cluster. */
  readonly namespace?: string;
  readonly name: string;
  /** `unknown`: it could not be looked at from here, or with these rights. */
  readonly state: 'ok' | 'failed' | 'unknown';
  /** What was seen. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** What the page reads. Methods throw DispatchError; `RunNotFound` for what is not there. */
export interface ViewPorts {
  /** Named where objects of it are. */
  readonly ledger: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Told of what failed, where nobody sees the answers. */
  readonly log?: Pick<Log, 'error'>;
  rows(wish: RowWish): Promise<readonly RunRow[]>;
  /** By its id, or the beginning of it. */
  run(named: string): Promise<RunRecord>;
  /** Undefined when it is gone. */
  evidence(runId: RunId, attempt: number, name: string): Promise<string | undefined>;
  /** What was sampled of an attempt's job, oldest first. */
  readonly samples: ReadSamples;
  readonly lock: LockReader;
  streams(): Promise<readonly DeploymentRecord[]>;
  stream(idOrName: string): Promise<DeploymentRecord>;
  /** The fields in which two generations differ, without secrets. */
  changes(record: DeploymentRecord, generations: readonly [number, number]): Promise<readonly FieldChange[]>;
  /** Absent: no configuration is named that says what the targets are. */
  targets?(): Promise<readonly TargetCheck[]>;
  /** Absent: no group of schedules is named. */
  schedules?(): Promise<readonly Scheduled[]>;
  /** Absent: the page is read-only. */
  readonly actions?: Actions;
}

/** The page itself: what esbuild made of packages/page. */
export interface PageFiles {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}
