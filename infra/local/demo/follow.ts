import { setTimeout as delay } from 'node:timers/promises';
import type { Instant } from '../../../lib/core/clock.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { Stack } from '../stack.ts';
import { seconds, type Terminal } from './terminal.ts';
import { STAGES, timeline, type Milestone } from './timeline.ts';

const LOOK_MS = 200;
/** A run that says nothing new for so long is stuck. */
const PATIENCE_MS = 5 * 60_000;

/** Shows each milestone of a run as it happens, until the record is closed. @throws Error when nothing moves any more. */
export async function follow(stack: Stack, runId: string, from: Instant, terminal: Terminal): Promise<RunRecord> {
  let shown: readonly Milestone[] = [];
  let record: RunRecord | undefined;
  let changedAt = Date.now();
  const done = terminal.wait(() => `${upcoming(record, shown)} …`);
  try {
    for (;;) {
      const seen = await stack.client.record(runId);
      if (seen?.updatedAt !== record?.updatedAt) changedAt = Date.now();
      record = seen;
      shown = show(record, shown, from, terminal);
      if (record?.state === 'closed') return record;
      if (Date.now() - changedAt > PATIENCE_MS) throw new Error(`run ${runId} has not moved for five minutes`);
      await delay(LOOK_MS);
    }
  } finally {
    done();
  }
}

function show(
  record: RunRecord | undefined,
  shown: readonly Milestone[],
  from: Instant,
  terminal: Terminal,
): readonly Milestone[] {
  if (record === undefined) return shown;
  const milestones = timeline(record, from);
  let previous = shown.at(-1)?.at ?? from;
  for (const { stage, at, since, note } of milestones.slice(shown.length)) {
    const columns = [stage.padEnd(10), seconds(since).padStart(7), `+${seconds(at - previous)}`.padStart(9)];
    terminal.line(`  ${terminal.style('green', '●')} ${columns.join(' ')}   ${terminal.style('dim', note)}`);
    previous = at;
  }
  return milestones;
}

function upcoming(record: RunRecord | undefined, shown: readonly Milestone[]): string {
  if (record?.waiting !== undefined) return `waiting: ${record.waiting.message}`;
  if (record?.stepError !== undefined) return `trying again: ${record.stepError.message}`;
  return STAGES[shown.length] ?? 'closing';
}
