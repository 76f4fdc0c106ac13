import type { RunRecord } from '../run/record.ts';

/** Whose runs a caller may name: an operator with rights to the ledger, all; else those of one tenant. */
export type Scope = { readonly kind: 'all' } | { readonly kind: 'tenant'; readonly tenant: string | undefined };

/** Without tenants in the deployment, nobody's runs have one. */
export function covers(scope: Scope, { tenant }: Pick<RunRecord, 'tenant'>): boolean {
  return scope.kind === 'all' || scope.tenant === tenant;
}
