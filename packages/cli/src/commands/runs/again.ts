import { randomUUID } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DispatchError } from '../../../../../lib/core/errors.ts';
import { runIdOfAgain } from '../../../../../lib/operate/again-id.ts';
import type { RunRecord } from '../../../../../lib/run/record.ts';
import type { AgainKind } from '../../../../../lib/trigger/order.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger, type LedgerReader } from '../../ledger.ts';
import { requirePart } from '../../stack.ts';
import { printJson, type Io } from '../../terminal/io.ts';
import { sendMessage } from './send-message.ts';
import { waitFor } from './wait.ts';

/** Functions accept a request within seconds, and after a cold start. */
const PATIENCE = 60_000;
const EVERY = 1_000;

/** Asks for a run once more, by a message, and names the new one. */
function again(kind: AgainKind): Execute {
  return async (io, parsed) => {
    const [named, ...more] = parsed.args;
    if (named === undefined || more.length > 0) throw new UsageError(`runs ${kind} <run id>`);
    const ledger = await openLedger(io, parsed);
    const queueUrl = await requirePart(io, parsed, 'messageQueue');
    const run = await ledger.read(named);
    const key = valueOf(parsed, 'key') ?? randomUUID();
    const body = { [`${kind}Run`]: run.runId, idempotencyKey: key };
    const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    await sendMessage(sqs, queueUrl, body, { group: 'flink-dispatch', once: key });
    const made = await appear(runIdOfAgain(kind, run, key), ledger, io);
    if (has(parsed, 'wait')) return waitFor(made.runId, ledger, io, parsed);
    if (has(parsed, 'json')) printJson(io, { runId: made.runId, name: made.name, state: made.state });
    else io.out(`${made.runId}\n`);
    return 0;
  };
}

async function appear(runId: RunRecord['runId'], ledger: LedgerReader, io: Io): Promise<RunRecord> {
  const until = io.clock.now() + PATIENCE;
  while (io.clock.now() < until && !io.interrupted.aborted) {
    const stored = await ledger.orders.ledger.read(runId);
    if (stored !== undefined) return stored.value;
    await io.clock.sleep(EVERY);
  }
  const message = `the request was sent, and run ${runId} is not there after ${PATIENCE / 1000} s: dead-letters list says why`;
  throw new DispatchError('RunNotFound', message);
}

export const rerun = again('rerun');
export const replay = again('replay');
