import type { RunId } from '../core/ids.ts';
import type { RunSource } from './request.ts';

/** What can be wanted of a run that is there. */
export const ORDER_KINDS = ['cancel', 'stop', 'savepoint'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

/** An order that came as a message. */
export interface OrderRequest {
  readonly source: Extract<RunSource, { kind: 'message' }>;
  readonly kind: OrderKind;
  readonly runId: RunId;
}
