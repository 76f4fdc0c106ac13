import type { Duration } from '../../../../../lib/core/clock.ts';
import { buildEvent } from '../../../../../lib/outcome/event.ts';
import type { LifecycleEvent } from '../../../../../lib/outcome/schema.ts';
import { has, type Execute } from '../../command.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger } from '../../ledger.ts';
import { harmless } from '../../terminal/io.ts';

const EVERY: Duration = 1_000;
const INTERRUPTED = 130;

/** The events of a run as they come, until it has ended. They are read from its record: nobody subscribes to anything. */
export const tail: Execute = async (io, parsed) => {
  const [named, ...more] = parsed.args;
  if (named === undefined || more.length > 0) throw new UsageError('events tail <run id>');
  const ledger = await openLedger(io, parsed);
  const context = { source: '/flink-dispatch', ledgerBucket: ledger.bucket };
  const { runId } = await ledger.read(named);
  for (let seen = 0; ;) {
    const run = await ledger.read(runId);
    for (const event of run.events.filter(({ sequence }) => sequence > seen)) {
      const { data } = buildEvent(run, event, context);
      io.out(has(parsed, 'json') ? `${JSON.stringify(data)}\n` : harmless(`${lineOf(data, event.time)}\n`));
      seen = event.sequence;
    }
    if (run.outcome !== undefined) return 0;
    if (io.interrupted.aborted) return INTERRUPTED;
    await io.clock.sleep(EVERY);
  }
};

function lineOf({ runId, name, state, attempt, reason, message }: LifecycleEvent['data'], time: number): string {
  const of = attempt === undefined ? '' : ` attempt ${attempt}`;
  const why = reason === undefined ? '' : `: ${reason}: ${message ?? ''}`;
  return `${new Date(time).toISOString()} ${runId} ${name}${of} ${state}${why}`;
}
