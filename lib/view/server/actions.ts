import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import { orderDeployment, type Order } from '../../dispatch/deployment/order.ts';
import { runIdOfAgain } from '../../operate/again-id.ts';
import { orderRun, type OrderAnswer, type OrderDeps } from '../../operate/order-run.ts';
import type { RunRecord } from '../../run/record.ts';
import type { AgainKind, OrderKind } from '../../trigger/order.ts';

/** Who asks, and a text of this order alone. */
export interface Asker {
  readonly by: string;
  readonly once: string;
}

/** What the page may ask for. Durable when it returns. Methods throw DispatchError. */
export interface Actions {
  order(runId: RunId, kind: OrderKind, who: Asker): Promise<OrderAnswer>;
  /** Names the new run, which is there within seconds. */
  again(run: RunRecord, kind: AgainKind, who: Asker): Promise<{ readonly runId: RunId }>;
  orderStream(id: DeploymentRecord['id'], order: Order, who: Asker): Promise<{ readonly generation: number }>;
}

/** @param send puts a job message on the queue of this installation; undefined where none is named */
export function actionsOn(deps: OrderDeps, send: ((body: object, once: string) => Promise<void>) | undefined): Actions {
  return {
    order: (runId, kind, who) => orderRun({ kind, runId }, { scope: { kind: 'all' }, ...who }, deps),
    async again(run, kind, { once }) {
      if (send === undefined) {
        const message = 'a run is done again by a message: name the job queue, with --queue or --stack';
        throw new DispatchError('NotAllowed', message);
      }
      await send({ [`${kind}Run`]: run.runId, idempotencyKey: once }, once);
      return { runId: runIdOfAgain(kind, run, once) };
    },
    orderStream: (id, order, who) => orderDeployment(id, order, who, deps),
  };
}
