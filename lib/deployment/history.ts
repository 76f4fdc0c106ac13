import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { isJobId, type RunId } from '../core/ids.ts';
import { omit } from '../core/omit.ts';
import type { RunRecord } from '../run/record.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { addEvent } from './events.ts';
import { generationOf, type DeploymentRecord, type KeptSnapshot } from './record.ts';

/** What a person pins counts too, so that the record stays bounded whatever is asked for. */
const MOST = 1000;

/** The newest state that a run left: of its last attempt that has any, else what it started from. */
export function newestOf(run: RunRecord): Snapshot | undefined {
  for (const { snapshot, restoredFrom } of [...run.attempts].reverse()) {
    const found = snapshot ?? restoredFrom;
    if (found !== undefined) return found;
  }
  return run.startFrom;
}

/** The state that its last attempt which left any has left. */
export function leftBy({ attempts }: RunRecord): Snapshot | undefined {
  return attempts.findLast(({ snapshot }) => snapshot !== undefined)?.snapshot;
}

/** With a snapshot in its history, once, and the event that tells of it. */
export function keepSnapshot(
  record: DeploymentRecord,
  snapshot: Snapshot,
  why: KeptSnapshot['why'],
  now: Instant,
): DeploymentRecord {
  if (record.snapshots.some((kept) => kept.snapshot.path === snapshot.path)) return record;
  const ordinal = record.snapshotOrdinal + 1;
  const generation = record.run?.generation ?? record.wanted;
  const kept: KeptSnapshot = { ordinal, snapshot, why, at: now, generation };
  const snapshots = [...record.snapshots, kept].slice(-MOST);
  const about = { generation, snapshot, ...defined({ run: snapshot.run }) };
  return addEvent({ ...record, snapshots, snapshotOrdinal: ordinal }, 'snapshot', now, about);
}

export function noteRestored(record: DeploymentRecord, path: string, run: RunId): DeploymentRecord {
  const snapshots = record.snapshots.map((kept) => (kept.snapshot.path === path ? { ...kept, restoredBy: run } : kept));
  return { ...record, snapshots };
}

/**
 * The directory that holds a snapshot and nothing that is another one's: of a savepoint that the deployment asked for, or
 * of the checkpoints of one job. Undefined for what somebody else named, which is never deleted.
 */
export function ownDirectory({ id }: Pick<DeploymentRecord, 'id'>, { kind, path, run }: Snapshot): string | undefined {
  if (run === undefined) return undefined;
  const parts = path.replace(/\/+$/, '').split('/');
  const parent = parts.slice(0, -1);
  const last = parent.at(-1) ?? '';
  if (kind === 'checkpoint')
    return /^chk-\d+$/.test(parts.at(-1) ?? '') && isJobId(last) ? parent.join('/') : undefined;
  return parent.at(-2) === id && /^[0-9a-f]{20}-[a-z0-9]+$/.test(last) ? parent.join('/') : undefined;
}

/** Marks what the plan of the wanted generation keeps no longer, and nothing that is or may be needed. */
export function retire(record: DeploymentRecord, now: Instant): DeploymentRecord {
  const over = overdue(record, now);
  if (over.length === 0) return record;
  const needed = neededDirectories(record);
  const ordinals = over.filter((kept) => !needed.has(directoryOf(record, kept))).map(({ ordinal }) => ordinal);
  if (ordinals.length === 0) return record;
  const snapshots = record.snapshots.map((kept) =>
    ordinals.includes(kept.ordinal) ? { ...kept, deletingAt: now } : kept,
  );
  return { ...record, snapshots };
}

/** Whether only what the running run started from stands in the way, and its JobManager can tell that it is over. */
export function isHeldByRun(record: DeploymentRecord, now: Instant): boolean {
  const path = record.run?.startFrom?.path;
  if (path === undefined || record.run?.checkpoints?.own === true) return false;
  return overdue(record, now).some((kept) => kept.snapshot.path === path);
}

/** The next time at which one becomes too old. */
export function retirementAt(record: DeploymentRecord, now: Instant): Instant | undefined {
  const age = planOf(record)?.age;
  if (age === undefined) return undefined;
  const times = candidates(record).map(({ at }) => at + age + 1);
  const later = times.filter((at) => at > now);
  return later.length === 0 ? undefined : Math.min(...later);
}

/** All of its own, of a deployment that is deleted with them. */
export function retireAll(record: DeploymentRecord, now: Instant): DeploymentRecord {
  const snapshots = record.snapshots.map((kept) => ({ ...kept, deletingAt: kept.deletingAt ?? now }));
  return { ...record, snapshots };
}

export function forget(record: DeploymentRecord, ordinal: number): DeploymentRecord {
  return { ...record, snapshots: record.snapshots.filter((kept) => kept.ordinal !== ordinal) };
}

/** A person's word: it stays, however old it is; or it does no longer. */
export function pin(record: DeploymentRecord, ordinal: number, pinned: boolean): DeploymentRecord {
  const snapshots = record.snapshots.map((kept) =>
    kept.ordinal === ordinal ? (pinned ? { ...kept, pinned } : omit(kept, 'pinned')) : kept,
  );
  return { ...record, snapshots };
}

function planOf(record: DeploymentRecord): { readonly count: number; readonly age: number } | undefined {
  return generationOf(record, record.wanted)?.plan.history;
}

/** Never the newest: what is left when all else is lost. */
function candidates({ snapshots }: DeploymentRecord): readonly KeptSnapshot[] {
  return snapshots.filter(({ deletingAt }) => deletingAt === undefined).slice(0, -1);
}

function overdue(record: DeploymentRecord, now: Instant): readonly KeptSnapshot[] {
  const plan = planOf(record);
  if (plan === undefined) return [];
  const may = candidates(record);
  return may.filter(
    ({ at, pinned }, index) => pinned !== true && (index <= may.length - plan.count || now - at > plan.age),
  );
}

/** What a start that is due, or one that is under way, reads, and a rollback would; what is pinned; and what shares their place. */
function neededDirectories(record: DeploymentRecord): ReadonlySet<string> {
  const { run, newest, snapshots, stable } = record;
  const start = run?.checkpoints?.own === true ? undefined : run?.startFrom;
  const pinned = snapshots.filter((kept) => kept.pinned === true);
  const last = snapshots.filter(({ deletingAt }) => deletingAt === undefined).at(-1);
  const needed = [
    start,
    run === undefined ? newest : undefined,
    last?.snapshot,
    stable?.left,
    ...pinned.map((it) => it.snapshot),
  ];
  const named = needed.filter((it) => it !== undefined);
  return new Set(named.map((snapshot) => ownDirectory(record, snapshot) ?? snapshot.path));
}

function directoryOf(record: DeploymentRecord, { snapshot }: KeptSnapshot): string {
  return ownDirectory(record, snapshot) ?? snapshot.path;
}
