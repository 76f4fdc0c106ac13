import { runIdFor, type RunId } from '../core/ids.ts';
import { identityIn } from '../job/config/tenants.ts';
import type { RunRecord } from '../run/record.ts';
import type { AgainKind } from '../trigger/order.ts';

/** What makes such an order itself; `once` is its key. */
export function againIdentity(kind: AgainKind, runId: RunId, once: string): string {
  return JSON.stringify(['again', kind, runId, once]);
}

/** The id of the run that such an order makes. */
export function runIdOfAgain(kind: AgainKind, run: Pick<RunRecord, 'runId' | 'tenant'>, once: string): RunId {
  return runIdFor(identityIn(run.tenant, againIdentity(kind, run.runId, once)));
}
