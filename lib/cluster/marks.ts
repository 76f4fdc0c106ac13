import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { Owner } from './port.ts';

/** The label by which the sweeper finds Deployments of this product. */
export const MANAGED_BY = { name: 'app.kubernetes.io/managed-by', value: 'flink-dispatch' } as const;
export const RUN_ID_ANNOTATION = 'flink-dispatch.io/run-id';
export const ATTEMPT_ANNOTATION = 'flink-dispatch.io/attempt';
export const LEDGER_ANNOTATION = 'flink-dispatch.io/ledger';

/** What a Deployment carries beside Flink's own labels, so that its owner is known to whoever finds it. */
export function marksFor(owner: Owner): {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
} {
  return {
    labels: { [MANAGED_BY.name]: MANAGED_BY.value },
    annotations: {
      [RUN_ID_ANNOTATION]: owner.runId,
      [ATTEMPT_ANNOTATION]: String(owner.attempt),
      ...(owner.ledger === undefined ? {} : { [LEDGER_ANNOTATION]: owner.ledger }),
    },
  };
}

const POOL = 'pool/';

/** The owner of a pool's session: no run, and of this ledger's deployment alone. */
export function poolOwner(pool: string, ledger: string): Owner {
  return { runId: `${POOL}${pool}@${ledger}`, attempt: 1, ledger };
}

export function isPoolOwner({ runId }: Pick<Owner, 'runId'>): boolean {
  return runId.startsWith(POOL);
}

/** `undefined`: not ours. */
export function ownerIn(metadata: V1ObjectMeta | undefined): Owner | undefined {
  const runId = metadata?.annotations?.[RUN_ID_ANNOTATION];
  const attempt = Number(metadata?.annotations?.[ATTEMPT_ANNOTATION]);
  if (runId === undefined || !Number.isInteger(attempt)) return undefined;
  const ledger = metadata?.annotations?.[LEDGER_ANNOTATION];
  return { runId, attempt, ...(ledger === undefined ? {} : { ledger }) };
}
