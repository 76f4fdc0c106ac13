import { tenantOf } from '../job/config/tenants.ts';
import type { DispatchConfig } from '../job/config/dispatch-config.ts';
import type { OrderRequest } from '../trigger/order.ts';
import { orderRun, type OrderDeps } from './order-run.ts';

/**
 * Carries out an order that came as a message: of runs of the tenant whose queue it came from, and of no others.
 * @throws DispatchError as `orderRun`; `NotAllowed` for a queue that belongs to no tenant
 */
export async function orderByMessage(
  { source, kind, runId }: OrderRequest,
  deployment: Pick<DispatchConfig, 'tenants'>,
  deps: OrderDeps,
): Promise<void> {
  const scope = { kind: 'tenant', tenant: tenantOf(source, deployment) } as const;
  const who = { scope, by: `a message to ${source.queueArn}`, once: source.messageId };
  const { result } = await orderRun({ kind, runId }, who, deps);
  deps.log.info(`order ${result}`, { runId, order: kind });
}
