import { DispatchError } from '../core/errors.ts';
import type { DeploymentId, RunId } from '../core/ids.ts';
import { cancelRun } from '../dispatch/cancel.ts';
import { orderDeployment, type Order } from '../dispatch/deployment/order.ts';
import type { DispatchDeps } from '../dispatch/deps.ts';
import { isEnded } from '../run/machine.ts';
import type { RunRecord } from '../run/record.ts';
import type { RunOrder } from '../trigger/order.ts';
import { knownRun } from './find-run.ts';
import type { Scope } from './scope.ts';

export type OrderDeps = Pick<DispatchDeps, 'ledger' | 'deployments' | 'runQueue' | 'clock' | 'log'>;

export interface Orderer {
  readonly scope: Scope;
  /** A person, or where the order came from; the run's record and events name it. */
  readonly by: string;
  /** Of this order alone: the same again is the same order. */
  readonly once: string;
}

export interface OrderAnswer {
  readonly runId: RunId;
  /** `ended`: it had its outcome before, and nothing is asked of it any more. */
  readonly result: 'asked' | 'ended';
  /** The generation that the order made of the run's deployment. */
  readonly deployment?: { readonly id: DeploymentId; readonly generation: number };
}

/**
 * Asks something of a run. Durable when it returns; its next look carries it out. The same again, or of a run that has
 * ended, changes nothing and is no error.
 * @throws DispatchError `RunNotFound`, also for another tenant's run; `InvalidSpec` for what the run cannot do
 */
export async function orderRun(order: RunOrder, who: Orderer, deps: OrderDeps): Promise<OrderAnswer> {
  const { kind, runId } = order;
  const run = await knownRun(runId, who.scope, deps.ledger);
  if (isEnded(run.state)) return { runId, result: 'ended' };
  return kind === 'cancel' ? cancel(run, who, deps) : orderStream(run, wantedOf(order), who, deps);
}

async function cancel({ runId }: RunRecord, { by, scope }: Orderer, deps: OrderDeps): Promise<OrderAnswer> {
  if (await cancelRun(runId, { by, reason: 'JobCanceled' }, deps)) return { runId, result: 'asked' };
  const run = await knownRun(runId, scope, deps.ledger);
  if (isEnded(run.state)) return { runId, result: 'ended' };
  throw new DispatchError('StorageUnavailable', `run ${runId} was changed by others each time`);
}

function wantedOf(order: RunOrder): Order {
  if (order.kind === 'scale') return { kind: 'scale', parallelism: order.parallelism };
  return { kind: order.kind === 'stop' ? 'suspend' : 'savepoint' };
}

/** A stream's state is its deployment's, which keeps it and starts the next run from it. */
async function orderStream(
  { runId, deployment, name }: RunRecord,
  order: Order,
  { by, once }: Orderer,
  deps: OrderDeps,
): Promise<OrderAnswer> {
  if (deployment === undefined) {
    const message = `run ${runId} (${name}) keeps no state: cancel it, or give its job an upgradeMode with state`;
    throw new DispatchError('InvalidSpec', message, { field: 'run' });
  }
  const { generation } = await orderDeployment(deployment.id, order, { by, once }, deps);
  return { runId, result: 'asked', deployment: { id: deployment.id, generation } };
}
