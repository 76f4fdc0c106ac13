import { DispatchError } from '../../../../../lib/core/errors.ts';
import type { RunId } from '../../../../../lib/core/ids.ts';
import { parseDuration } from '../../../../../lib/core/duration.ts';
import { waitForOutcome } from '../../../../../lib/operate/wait-for-outcome.ts';
import { waitOf } from '../../../../../lib/run/gate.ts';
import type { OutcomeState, RunRecord } from '../../../../../lib/run/record.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger, type LedgerReader } from '../../ledger.ts';
import { printJson, seconds, type Io } from '../../terminal/io.ts';

/** By the outcome; 124, as of timeout(1), when the time is over, 130 after an interrupt. */
export const EXIT_CODES: Readonly<Record<OutcomeState, number>> = {
  succeeded: 0,
  failed: 1,
  canceled: 3,
  rejected: 4,
  unknown: 5,
  skipped: 6,
};
const TIMEOUT = 124;
const INTERRUPTED = 130;
const EVERY = 1_000;

/** Until the run has its outcome. */
export const wait: Execute = async (io, parsed) => {
  const [named, ...more] = parsed.args;
  if (named === undefined || more.length > 0) throw new UsageError('runs wait <run id>');
  timeoutOf(parsed);
  const ledger = await openLedger(io, parsed);
  return waitFor((await ledger.read(named)).runId, ledger, io, parsed);
};

/** Answers the exit code. */
export async function waitFor(runId: RunId, ledger: LedgerReader, io: Io, parsed: ParsedFlags): Promise<number> {
  const begun = io.clock.now();
  const waiting = {
    until: begun + timeoutOf(parsed),
    every: EVERY,
    isOver: () => io.interrupted.aborted,
    onChange: (run: RunRecord) => io.err(`${seconds(io.clock.now() - begun).padStart(7)}  ${situation(run)}\n`),
  };
  const run = await waitForOutcome(runId, { kind: 'all' }, waiting, { ledger: ledger.orders.ledger, clock: io.clock });
  if (has(parsed, 'json')) printJson(io, run);
  if (run.outcome === undefined) return io.interrupted.aborted ? INTERRUPTED : TIMEOUT;
  const { state, reason, message, rootException } = run.outcome;
  if (!has(parsed, 'json')) {
    io.out(
      `${runId} ${run.name} ${state}: ${reason}: ${message}\n${rootException === undefined ? '' : `${rootException}\n`}`,
    );
  }
  return EXIT_CODES[state];
}

function situation(run: RunRecord): string {
  const { runId, name, state, attempts } = run;
  const waiting = waitOf(run);
  const why = waiting !== undefined ? `: ${waiting.reason}: ${waiting.message}` : '';
  const attempt = attempts.length > 1 ? `, attempt ${attempts.length}` : '';
  return `run ${runId} ${name} is ${state}${attempt}${why}`;
}

function timeoutOf(parsed: ParsedFlags): number {
  const text = valueOf(parsed, 'timeout');
  if (text === undefined) return Infinity;
  const timeout = parseDuration(text);
  if (timeout !== undefined) return timeout;
  throw new DispatchError('MalformedRequest', `--timeout ${text}: must be a duration such as 30s or 2h`, {
    field: 'timeout',
  });
}
