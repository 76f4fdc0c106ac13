import { tenantOf } from '../job/config/tenants.ts';
import type { AcceptDeps } from '../dispatch/accept.ts';
import type { OrderRequest } from '../trigger/order.ts';
import { orderRun } from './order-run.ts';
import { runAgain } from './run-again.ts';

/**
 * Carries out an order that came as a message: of runs of the tenant whose queue it came from, and of no others.
 * @throws DispatchError as `orderRun` and `runAgain`; `NotAllowed` for a queue that belongs to no tenant
 */
export async function orderByMessage({ source, ...order }: OrderRequest, deps: AcceptDeps): Promise<void> {
  const scope = { kind: 'tenant', tenant: tenantOf(source, deps.prepare.deployment) } as const;
  const who = { scope, by: `a message to ${source.queueArn}`, once: source.idempotencyKey ?? source.messageId };
  if (order.kind === 'rerun' || order.kind === 'replay') {
    await runAgain(order, who, deps);
    return;
  }
  const { runId, result } = await orderRun(order, who, deps);
  deps.log.info(`order ${result}`, { runId, order: order.kind });
}
