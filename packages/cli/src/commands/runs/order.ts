import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { parseFilter } from '../../../../../lib/operate/filter.ts';
import { orderRun } from '../../../../../lib/operate/order-run.ts';
import type { OrderKind } from '../../../../../lib/trigger/order.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger } from '../../ledger.ts';
import { printJson } from '../../terminal/io.ts';

const DONE: Readonly<Record<OrderKind, string>> = {
  cancel: 'is asked to stop',
  stop: 'is asked to stop with its state',
  savepoint: 'is asked for a savepoint',
};

/** Asks something of runs: written to the ledger, and carried out by the functions. */
function ordering(kind: OrderKind): Execute {
  return async (io, parsed) => {
    const tag = valueOf(parsed, 'tag');
    if ((parsed.args.length === 0) === (tag === undefined))
      throw new UsageError(`runs ${kind} <run id>${kind === 'cancel' ? ', or --tag <tag>' : ''}`);
    const ledger = await openLedger(io, parsed);
    const wish = parseFilter({ tag, state: 'live', limit: '100000' }, io.clock.now());
    const tagged = tag === undefined ? [] : (await ledger.rows(wish)).map(({ runId }) => runId);
    const runs = await Promise.all([...parsed.args, ...tagged].map((named) => ledger.read(named)));
    const who = { scope: { kind: 'all' }, by: `${userInfo().username}, by flink-dispatch` } as const;
    const answers = [];
    for (const { runId, name } of runs) {
      const answer = await orderRun({ kind, runId }, { ...who, once: randomUUID() }, ledger.orders);
      answers.push(answer);
      if (has(parsed, 'json')) continue;
      io.out(`${runId} ${name} ${answer.result === 'ended' ? 'has ended already' : DONE[kind]}\n`);
    }
    if (has(parsed, 'json')) printJson(io, answers);
    return 0;
  };
}

export const cancel = ordering('cancel');
export const stop = ordering('stop');
export const savepoint = ordering('savepoint');
