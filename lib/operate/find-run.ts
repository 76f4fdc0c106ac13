import { DispatchError } from '../core/errors.ts';
import { isRunId, type RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { Ledger } from '../run/store/ledger.ts';
import type { RunList } from '../run/store/run-index.ts';
import { covers, type Scope } from './scope.ts';

/** Shorter ones would be many runs', and are mistakes. */
const BEGINNING = /^[0-9a-f]{4,19}$/;
const MOST = 3;

/**
 * The run of this id, or the only one whose id begins so. A run of another tenant is told as one that is not there.
 * @throws DispatchError `RunNotFound`, `MalformedRequest`
 */
export async function findRun(
  named: string,
  scope: Scope,
  { ledger, runs }: { readonly ledger: Pick<Ledger, 'read'>; readonly runs: Pick<RunList, 'ids'> },
): Promise<RunRecord> {
  if (isRunId(named)) return knownRun(named, scope, ledger);
  if (!BEGINNING.test(named)) {
    const message = `'${named}' is no run id: 20 hexadecimal digits, as events show them, or their first four or more`;
    throw new DispatchError('MalformedRequest', message, { field: 'run' });
  }
  const found = await Promise.all((await runs.ids(named, MOST)).map((id) => ledger.read(id)));
  const own = found.flatMap((stored) => (stored === undefined || !covers(scope, stored.value) ? [] : [stored.value]));
  const [only, ...more] = own;
  if (only === undefined) throw notFound(named);
  if (more.length === 0) return only;
  const message = `the ids of several runs begin so: ${own.map(({ runId }) => runId).join(', ')}`;
  throw new DispatchError('MalformedRequest', message, { field: 'run' });
}

/** @throws DispatchError `RunNotFound` */
export async function knownRun(runId: RunId, scope: Scope, ledger: Pick<Ledger, 'read'>): Promise<RunRecord> {
  const stored = await ledger.read(runId);
  if (stored !== undefined && covers(scope, stored.value)) return stored.value;
  throw notFound(runId);
}

function notFound(named: string): DispatchError {
  return new DispatchError('RunNotFound', `there is no run '${named}'`, { field: 'run' });
}
