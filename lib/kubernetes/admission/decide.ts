import { larger, sum, type Amounts, type Resource } from './amounts.ts';
import type { ClusterNeed } from './cluster-need.ts';

/** One line of a ResourceQuota without scopes. */
export interface QuotaLimit {
  /** The ResourceQuota. */
  readonly quota: string;
  readonly resource: Resource;
  readonly hard: number;
  /** By all pods of the namespace, whoever made them. */
  readonly used: number;
}

/** Another cluster of this product in the namespace. */
export interface Neighbour {
  /** What it is to have in the end; absent: it gets no more than it has. */
  readonly whole?: Amounts;
  /** What its pods take now. */
  readonly held: Amounts;
}

export interface AdmissionInput {
  readonly limits: readonly QuotaLimit[];
  readonly need: ClusterNeed;
  /** What pods of the cluster itself take already. */
  readonly held: Amounts;
  readonly neighbours: readonly Neighbour[];
}

/**
 * - `short`: there is no room now for all of the cluster: its need, and what is left for it.
 * - `never`: the namespace's quota is too small for it, though nothing else were there.
 */
export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'short' | 'never'; readonly limit: QuotaLimit; readonly need: number; readonly left: number };

/** Amounts of cores are sums of fractions. */
const ROUNDING = 1e-6;

/** Whether a cluster has room for all its pods beside what its neighbours have and have still to get. */
export function decideAdmission({ limits, need, held, neighbours }: AdmissionInput): Admission {
  const never = limits.find(({ resource, hard }) => exceeds(need.least[resource], hard));
  if (never !== undefined) {
    return { kind: 'never', limit: never, need: need.least[never.resource], left: never.hard };
  }
  const ours = sum([held, ...neighbours.map((neighbour) => neighbour.held)]);
  const promised = sum(neighbours.map(({ whole, held: has }) => (whole === undefined ? has : larger(whole, has))));
  for (const limit of limits) {
    const { resource, hard, used } = limit;
    // A pod that was made after the quota was read is in `ours` alone.
    const others = Math.max(0, used - ours[resource]);
    const left = Math.max(0, hard - others - promised[resource]);
    // A job that takes what it gets has the namespace for itself.
    const wanted = Math.min(need.whole[resource], hard);
    if (exceeds(wanted, left)) return { kind: 'short', limit, need: wanted, left };
  }
  return { kind: 'admitted' };
}

function exceeds(amount: number, room: number): boolean {
  return amount > room * (1 + ROUNDING) + ROUNDING;
}
