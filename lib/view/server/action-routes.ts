import type { Context, Hono } from 'hono';
import { DispatchError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';
import type { Order } from '../../dispatch/deployment/order.ts';
import { isAgain } from '../../trigger/order.ts';
import { STREAM_ORDER_KINDS, type RunOrderKind, type StreamOrderKind } from '../orders.ts';
import type { Actions, Asker } from './actions.ts';
import type { Door } from './door.ts';
import type { ViewPorts } from './ports.ts';

const RUN_ORDERS: readonly RunOrderKind[] = ['cancel', 'stop', 'savepoint', 'rerun', 'replay'];

export function routeActions(app: Hono, ports: ViewPorts, door: Door): void {
  /** 403 where nobody may write, 401 where this caller may not. */
  const writing = async (
    context: Context,
    write: (actions: Actions, who: Asker) => Promise<object>,
  ): Promise<Response> => {
    if (ports.actions === undefined) throw new DispatchError('NotAllowed', door.readOnly);
    const by = await door.writer(context);
    if (by === undefined) return context.json({ reason: 'NotAllowed', message: door.whoWrites }, 401);
    return context.json(await write(ports.actions, { by, once: onceOf(context, by) }));
  };
  app.post('/api/runs/:run/:order', (context) =>
    writing(context, async (actions, who) => {
      const kind = known(RUN_ORDERS, context.req.param('order'));
      const run = await ports.run(context.req.param('run'));
      return isAgain(kind) ? actions.again(run, kind, who) : actions.order(run.runId, kind, who);
    }),
  );
  app.post('/api/streams/:stream/:order', (context) =>
    writing(context, async (actions, who) => {
      const order = streamOrder(known(STREAM_ORDER_KINDS, context.req.param('order')), await bodyOf(context));
      const { id } = await ports.stream(context.req.param('stream'));
      return actions.orderStream(id, order, who);
    }),
  );
}

/** Of this press of a button alone, however often the request comes. */
function onceOf(context: Context, by: string): string {
  const key = context.req.header('idempotency-key') ?? '';
  if (/^[\w-]{8,100}$/.test(key)) return sha256Hex(`${by}\n${key}`).slice(0, 40);
  throw new DispatchError('MalformedRequest', 'a write needs an Idempotency-Key of 8 to 100 letters, digits, _ and -');
}

function known<K extends string>(kinds: readonly K[], text: string | undefined): K {
  const kind = kinds.find((one) => one === text);
  if (kind !== undefined) return kind;
  throw new DispatchError('MalformedRequest', `'${(text ?? '').slice(0, 100)}' must be one of ${kinds.join(', ')}`);
}

async function bodyOf(context: Context): Promise<Readonly<Record<string, unknown>>> {
  const text = await context.req.text();
  try {
    const body: unknown = text === '' ? {} : JSON.parse(text);
    if (isRecord(body)) return body;
  } catch {
    // said below
  }
  throw new DispatchError('MalformedRequest', 'the body must be a JSON object');
}

function streamOrder(kind: StreamOrderKind, body: Readonly<Record<string, unknown>>): Order {
  if (kind === 'rollback') return { kind, acceptDuplicates: body['acceptDuplicates'] === true };
  if (kind !== 'upgrade') return { kind };
  const to = body['to'];
  if (typeof to === 'number' && Number.isInteger(to) && to > 0) return { kind, to };
  throw new DispatchError('MalformedRequest', 'to must be the number of a generation', { field: 'to' });
}
