import type { RunId } from '../core/ids.ts';
import type { RunSource } from './request.ts';

/** What can be wanted of a run that is there. */
const ORDER_KINDS = ['cancel', 'stop', 'savepoint'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

/** What can be wanted of a run that was there. */
const AGAIN_KINDS = ['rerun', 'replay'] as const;
export type AgainKind = (typeof AGAIN_KINDS)[number];

/** What a message can want. */
export const MESSAGE_ORDERS = [...ORDER_KINDS, 'scale', ...AGAIN_KINDS] as const;
export type MessageOrder = (typeof MESSAGE_ORDERS)[number];

type To<K> = K extends MessageOrder ? { readonly kind: K; readonly runId: RunId } : never;

/** To a run that is there. */
export type RunOrder =
  | To<OrderKind>
  /** In how many subtasks its job is to run. */
  | { readonly kind: 'scale'; readonly runId: RunId; readonly parallelism: number };

/** An order that came as a message. */
export type OrderRequest = { readonly source: Extract<RunSource, { kind: 'message' }> } & (RunOrder | To<AgainKind>);

export function isAgain(kind: MessageOrder): kind is AgainKind {
  return AGAIN_KINDS.some((one) => one === kind);
}
