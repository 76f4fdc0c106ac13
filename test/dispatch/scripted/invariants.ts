import { expect } from 'vitest';
import { canonicalJson } from '../../../lib/core/json.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import type { World } from './world.ts';

/** What holds of every run that is over, whatever went wrong on its way. */
export async function expectClosedCleanly(world: World, runId: RunId): Promise<void> {
  const record = world.record(runId);
  expect(record.state).toBe('closed');
  expect((await world.ledger.list({ limit: 100 })).map((live) => live.runId)).not.toContain(runId);
  for (const { clusterId } of record.attempts) {
    expect(await world.clusters.remains({ namespace: 'flink', clusterId })).toEqual([]);
  }
  expect([...world.locks.holders.values(), ...[...world.locks.lines.values()].flat()]).not.toContain(runId);

  // Each attempt made its cluster once, or never.
  expect(new Set(world.created(runId)).size).toBe(world.created(runId).length);

  const outcomes = world.ledger.writes.filter((write) => write.runId === runId).flatMap(({ outcome = [] }) => outcome);
  expect(new Set(outcomes.map(canonicalJson)).size).toBe(1);

  const events = world.events(runId);
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => `${runId}.${index + 1}`));
  expect(events.map(({ type }) => type).filter((type) => type.includes('.completed.'))).toHaveLength(1);
  expect(record.events.every(({ publishedAt }) => publishedAt !== undefined)).toBe(true);
}
