import type { Attempt, RunRecord } from '../../../../../lib/run/record.ts';
import { ABORT_DECISION_FILE, DECISION_FILE } from '../../../../../lib/verdict/decision-evidence.ts';
import { agrees, replayDocument, replayOf, type Replay } from '../../../../../lib/view/replay.ts';
import type { ExplainedRow, RowResult } from '../../../../../lib/verdict/engine.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { printJson, table } from '../../terminal/io.ts';
import { openLedger, type LedgerReader } from '../../ledger.ts';
import { UsageError } from '../../flags/usage.ts';
import { namedAttempt } from './logs.ts';

/** `runs explain`: replays the decisions of an attempt from its evidence, row by row. */
export const explainRun: Execute = async (io, parsed) => {
  const [runId, ...more] = parsed.args;
  if (runId === undefined || more.length > 0) throw new UsageError('runs explain <run id>');
  const ledger = await openLedger(io, parsed);
  const record = await ledger.read(runId);
  const number = valueOf(parsed, 'attempt');
  const attempt = record.attempts.length === 0 && number === undefined ? undefined : namedAttempt(record, number);
  const replays = attempt === undefined ? [] : await replaysOf(ledger, record, attempt);
  const missing = replays.some(({ file }) => file === DECISION_FILE) ? undefined : whyNone(record, attempt);
  if (has(parsed, 'json')) printJson(io, asJson(record, attempt, replays, missing));
  else io.out(asText(record, attempt, replays, missing));
  return 0;
};

async function replaysOf(ledger: LedgerReader, { runId }: RunRecord, attempt: Attempt): Promise<readonly Replay[]> {
  const files = [ABORT_DECISION_FILE, DECISION_FILE].filter((file) => attempt.artifacts?.includes(file));
  return Promise.all(
    files.map(async (file) => {
      const text = await ledger.evidence(runId, attempt.number, file);
      if (text === undefined) throw new UsageError(`${file} of attempt ${attempt.number} is no longer in the ledger`);
      return replayOf(file, text);
    }),
  );
}

/** Why the attempt has no evidence of the decision that ended it. */
function whyNone({ state, outcome, attempts }: RunRecord, attempt: Attempt | undefined): string {
  if (attempt === undefined) {
    return outcome === undefined
      ? `the run is ${state} and has no attempt yet: nothing was decided by a rule`
      : `the run ended before its first attempt, so no rule decided it: ${sentence(outcome)}`;
  }
  const { number, outcome: own, artifacts = [] } = attempt;
  if (own === undefined) return `attempt ${number} of ${attempts.length} goes on: its decision is kept when it ends`;
  if (own.rule !== undefined)
    return `rule ${own.rule} ended attempt ${number}, and its ${DECISION_FILE} could not be kept: ${sentence(own)}`;
  return artifacts.length === 0
    ? `attempt ${number} ended while its cluster was created, so no rule decided it: ${sentence(own)}`
    : `attempt ${number} has no ${DECISION_FILE}: its evidence is of an older version. Its outcome: ${sentence(own)}`;
}

function sentence({ state, reason, message }: NonNullable<RunRecord['outcome']>): string {
  return `${state}, ${reason}: ${message}`;
}

const RESULTS: Readonly<Record<RowResult, string>> = {
  decided: '=> decided',
  'also-holds': '   also holds',
  'not-held': '   no',
  'not-applicable': '   -',
};

function asText(
  record: RunRecord,
  attempt: Attempt | undefined,
  replays: readonly Replay[],
  missing: string | undefined,
): string {
  const { runId, name, state, attempts } = record;
  const of = attempt === undefined ? '' : `, attempt ${attempt.number} of ${attempts.length}`;
  const texts = [
    `run ${runId} ${name}: ${state}${of}\n`,
    ...replays.map((replay) => `\n${replayText(replay)}`),
    ...(missing === undefined ? endText(attempt, replays) : [`${missing}\n`]),
  ];
  return texts.join('');
}

function replayText(replay: Replay): string {
  const { file, kept, explanation } = replay;
  const { table: name, rows, abortRows, stopRows } = explanation;
  const aborted =
    abortRows.length === 0
      ? ''
      : `\nthe attempt had been given up, so ABORT_RULES come after them\n${rowsText(abortRows)}`;
  const stopped =
    stopRows.length === 0
      ? ''
      : `\nthe run was asked to stop with its state, so STOP_RULES come last\n${rowsText(stopRows)}`;
  return (
    `${file}: taken ${new Date(kept.now).toISOString()}, by ${name} of lib/verdict\n` +
    `${rowsText(rows)}${aborted}${stopped}\n${verdictText(replay)}\n`
  );
}

function rowsText(rows: readonly ExplainedRow[]): string {
  const cells = rows.map(({ rule, result, why }) => [RESULTS[result], rule, why.replaceAll('\n', ' ')]);
  return table([['   RESULT', 'RULE', 'WHY'], ...cells]);
}

function verdictText(replay: Replay): string {
  const { kept, explanation } = replay;
  const { verdict, rows, abortRows, stopRows } = explanation;
  const by = [...rows, ...abortRows, ...stopRows].find((row) => row.rule === verdict.rule)?.description ?? '';
  const said = verdict.kind === 'wait' ? `wait: ${verdict.because}` : sentence(verdict.outcome);
  const decided = `decided by ${verdict.rule} (${by})\n${said}`;
  if (agrees(replay)) return decided;
  return `${decided}\nDISAGREES with the record: rule ${kept.rule} gave the verdict ${kept.kind}, by the code of that time`;
}

/** An attempt can end beside the rules: its session refused what was submitted. */
function endText(attempt: Attempt | undefined, replays: readonly Replay[]): readonly string[] {
  const { outcome } = attempt ?? {};
  if (outcome === undefined || replays.some(({ kept }) => kept.kind !== 'wait')) return [];
  return [`no rule ended the attempt: its session refused the job. ${sentence(outcome)}\n`];
}

function asJson(
  { runId, name, state, outcome }: RunRecord,
  attempt: Attempt | undefined,
  replays: readonly Replay[],
  missing: string | undefined,
): unknown {
  return {
    runId,
    name,
    state,
    outcome: attempt?.outcome ?? outcome,
    ...(attempt === undefined ? {} : { attempt: attempt.number }),
    ...(missing === undefined ? {} : { missing }),
    decisions: replays.map(replayDocument),
  };
}
