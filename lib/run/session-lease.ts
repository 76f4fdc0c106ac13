import type { Duration, Instant } from '../core/clock.ts';
import type { ClusterId, RunId } from '../core/ids.ts';
import { omit } from '../core/omit.ts';
import type { Versioned } from './store/ledger.ts';

/** A pool's session in one namespace of a target. */
export interface SessionRef {
  readonly target: string;
  readonly namespace: string;
  readonly clusterId: ClusterId;
}

/**
 * Who uses a pool's session. It is written before the session is made or used, and only by who last read it: a session is
 * stopped under a lease that has no run, and a run that finds it stopping waits, so that none is stopped under a job.
 */
export interface SessionLease extends SessionRef {
  readonly version: 1;
  readonly pool: string;
  /** `stopping`: nobody joins until a look has proved that nothing of it is left. */
  readonly state: 'open' | 'stopping';
  /** Its runs, and since when the attempt of each was begun that joined last. */
  readonly runs: Readonly<Record<string, Instant>>;
  /** Since when it has nothing to do; absent while it has. */
  readonly idleSince?: Instant;
  readonly idleAfter: Duration;
}

/** Methods throw DispatchError `StorageUnavailable` when the answer is lost: a re-read tells. */
export interface SessionLeases {
  read(ref: SessionRef): Promise<Versioned<SessionLease> | undefined>;
  /** `version`: of the lease that was read; `undefined`: there was none. False: it changed meanwhile. */
  write(lease: SessionLease, version: string | undefined): Promise<boolean>;
  /** Of a target, however many. */
  list(target: string): Promise<readonly SessionRef[]>;
  /** Of a session of which nothing is left. False: it changed meanwhile. */
  remove(ref: SessionRef, version: string): Promise<boolean>;
}

export function newLease(ref: SessionRef, pool: { name: string; idleAfter: Duration }): SessionLease {
  const { target, namespace, clusterId } = ref;
  const { name, idleAfter } = pool;
  return { version: 1, target, namespace, clusterId, pool: name, state: 'open', runs: {}, idleAfter };
}

/** The run has a share in it; only in one that is open. */
export function join(lease: SessionLease, runId: RunId, since: Instant): SessionLease {
  return { ...omit(lease, 'idleSince'), runs: { ...lease.runs, [runId]: since } };
}

/** Idle when it was the last one. */
export function leave(lease: SessionLease, runId: RunId, now: Instant): SessionLease {
  const runs = omit(lease.runs, runId);
  return Object.keys(runs).length > 0 ? { ...lease, runs } : { ...lease, runs, idleSince: lease.idleSince ?? now };
}

/** What a sweep is to do about a session. */
export type IdleDecision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'note'; readonly lease: SessionLease }
  | { readonly kind: 'stop'; readonly lease: SessionLease };

/**
 * `jobs`: how many jobs it runs, whoever submitted them; `undefined`: it runs and does not say, so that nothing is known.
 * Who writes the answer does so under the lease that was read: a run that joined meanwhile makes it void.
 */
export function decideIdle(lease: SessionLease, jobs: number | undefined, now: Instant): IdleDecision {
  if (lease.state === 'stopping') return { kind: 'stop', lease };
  if (Object.keys(lease.runs).length > 0 || jobs === undefined) return { kind: 'keep' };
  if (jobs > 0) {
    return lease.idleSince === undefined ? { kind: 'keep' } : { kind: 'note', lease: omit(lease, 'idleSince') };
  }
  if (lease.idleSince === undefined) return { kind: 'note', lease: { ...lease, idleSince: now } };
  if (now - lease.idleSince < lease.idleAfter) return { kind: 'keep' };
  return { kind: 'stop', lease: { ...lease, state: 'stopping' } };
}

/** Nothing of it is left; the next run makes it anew. */
export function stopped(lease: SessionLease): SessionLease {
  return { ...omit(lease, 'idleSince'), state: 'open', runs: {} };
}
