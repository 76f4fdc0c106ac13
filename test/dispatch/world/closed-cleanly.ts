import { expect } from 'vitest';
import { canonicalJson } from '../../../lib/core/json.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { LEDGER } from '../../prove/functions.ts';
import { holderIn } from '../../prove/locks/invariants.ts';
import type { World } from './simulated.ts';

/** What holds of every run that is over, whatever went wrong on its way. */
export function expectClosedCleanly(world: World, runId: RunId): void {
  const record = world.record(runId);
  const { s3 } = world;
  expect(record.state).toBe('closed');
  expect(s3.keys(`${LEDGER}/live/`).filter((key) => key.includes(runId))).toEqual([]);
  for (const { clusterId } of record.attempts) {
    expect(world.objectsOf({ namespace: 'flink', clusterId })).toEqual([]);
  }
  expect(s3.keys(`${LEDGER}/locks/`).map((key) => holderIn(s3.text(key)))).not.toContain(runId);
  expect(s3.keys(`${LEDGER}/lock-queues/`).filter((key) => key.includes(runId))).toEqual([]);

  // Each attempt made its cluster once, or never.
  expect(new Set(world.created(runId)).size).toBe(world.created(runId).length);

  const outcomes = world.writes.filter((write) => write.runId === runId).flatMap(({ outcome = [] }) => outcome);
  expect(new Set(outcomes.map(canonicalJson)).size).toBe(1);

  const events = world.events(runId);
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => `${runId}.${index + 1}`));
  expect(events.map(({ type }) => type).filter((type) => type.includes('.completed.'))).toHaveLength(1);
  expect(record.events.every(({ publishedAt }) => publishedAt !== undefined)).toBe(true);
  expect(world.invariants.violations).toEqual([]);
}
