import * as z from 'zod';
import type { RunId } from '../../core/ids.ts';
import { callerText } from '../../trigger/request.ts';
import type { AgainKind, OrderKind } from '../../trigger/order.ts';
import { orderRun } from '../order-run.ts';
import { runAgain } from '../run-again.ts';
import { runIdText } from '../views.ts';
import { json, type HttpAnswer, type HttpCall, type Routed } from './call.ts';
import { queryOf } from './query.ts';

export const orderedSchema = z.object({
  runId: runIdText,
  result: z
    .enum(['asked', 'ended'])
    .describe('`ended`: it had its outcome before, and nothing is asked of it any more'),
  deployment: z
    .object({ id: z.string(), generation: z.int().positive() })
    .exactOptional()
    .describe('The generation that the order made of its deployment'),
});

function onceOf({ headers, requestId }: HttpCall): string {
  return headers['idempotency-key'] ?? requestId;
}

/** 202 while it is still to be carried out, 200 of a run that has ended. */
function ordering(kind: OrderKind): (runId: RunId, routed: Routed) => Promise<HttpAnswer> {
  return async (runId, { call, scope, deps }) => {
    queryOf(call, []);
    const answer = await orderRun({ kind, runId }, { scope, by: callerText(call.caller), once: onceOf(call) }, deps);
    return json(answer.result === 'ended' ? 200 : 202, answer);
  };
}

/** 202: a new run is durable. */
function again(kind: AgainKind): (runId: RunId, routed: Routed) => Promise<HttpAnswer> {
  return async (named, { call, scope, deps }) => {
    queryOf(call, []);
    const { runId, result } = await runAgain({ kind, runId: named }, { scope, once: onceOf(call) }, deps);
    return json(202, { runId, result }, { location: `/runs/${runId}` });
  };
}

export const rerunRun = again('rerun');
export const replayRun = again('replay');
export const cancelRun = ordering('cancel');
export const stopRun = ordering('stop');
export const savepointRun = ordering('savepoint');
