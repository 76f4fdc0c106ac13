import type { RunId } from '../core/ids.ts';
import type { RunSource } from './request.ts';

/** What can be wanted of a run that is there. */
export const ORDER_KINDS = ['cancel', 'stop', 'savepoint'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

/** What can be wanted of a run that was there. */
export const AGAIN_KINDS = ['rerun', 'replay'] as const;
export type AgainKind = (typeof AGAIN_KINDS)[number];

/** An order that came as a message. */
export interface OrderRequest {
  readonly source: Extract<RunSource, { kind: 'message' }>;
  readonly kind: OrderKind | AgainKind;
  readonly runId: RunId;
}

export function isAgain(kind: OrderKind | AgainKind): kind is AgainKind {
  return AGAIN_KINDS.some((one) => one === kind);
}
