import type { V1ObjectMeta } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { isRunId, type RunId } from '../../core/ids.ts';
import type { Owner } from './port.ts';

/** The label by which the sweeper finds Deployments of this product. */
export const MANAGED_BY = { name: 'app.kubernetes.io/managed-by', value: 'flink-dispatch' } as const;
export const RUN_ID_ANNOTATION = 'flink-dispatch.io/run-id';
export const ATTEMPT_ANNOTATION = 'flink-dispatch.io/attempt';
const LEDGER_ANNOTATION = 'flink-dispatch.io/ledger';

/** In the place of a run id: the pool of a session, and the ledger of its deployment. */
const POOL = /^pool\/([^@]*)@(.*)$/;

/** What a Deployment carries beside Flink's own labels, so that its owner is known to whoever finds it. */
export function ownerMetadata(owner: Owner): {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
} {
  return {
    labels: { [MANAGED_BY.name]: MANAGED_BY.value },
    annotations: {
      [RUN_ID_ANNOTATION]: owner.kind === 'run' ? owner.runId : `pool/${owner.pool}@${owner.ledger}`,
      [ATTEMPT_ANNOTATION]: owner.kind === 'run' ? String(owner.attempt) : '1',
      ...defined({ [LEDGER_ANNOTATION]: owner.ledger }),
    },
  };
}

/** `undefined`: not ours. */
export function ownerIn(metadata: V1ObjectMeta | undefined): Owner | undefined {
  const { annotations = {} } = metadata ?? {};
  const id = annotations[RUN_ID_ANNOTATION] ?? '';
  const [, pool, ledger] = POOL.exec(id) ?? [];
  if (pool !== undefined && ledger !== undefined) return { kind: 'pool', pool, ledger };
  const attempt = Number(annotations[ATTEMPT_ANNOTATION]);
  if (!isRunId(id) || !Number.isInteger(attempt)) return undefined;
  return { kind: 'run', runId: id, attempt, ...defined({ ledger: annotations[LEDGER_ANNOTATION] }) };
}

/** Whether both are the same attempt of a run, or the same pool of a deployment. */
export function isSameOwner(a: Owner | undefined, b: Owner): boolean {
  if (a?.kind === 'run') return b.kind === 'run' && a.runId === b.runId && a.attempt === b.attempt;
  return a !== undefined && b.kind === 'pool' && a.pool === b.pool && a.ledger === b.ledger;
}

/** The run whose attempt it is; `undefined` for a pool, and for what is not ours. */
export function runOf(owner: Owner | undefined): RunId | undefined {
  return owner?.kind === 'run' ? owner.runId : undefined;
}

/** For messages: `run x, attempt 1`. */
export function describeOwner(owner: Owner | undefined): string {
  if (owner === undefined) return 'nobody known';
  return owner.kind === 'run'
    ? `run ${owner.runId}, attempt ${owner.attempt}`
    : `pool ${owner.pool} of ${owner.ledger}`;
}
