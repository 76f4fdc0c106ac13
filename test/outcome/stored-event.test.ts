import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildEvent } from '../../lib/outcome/event.ts';
import { lifecycleEventSchema } from '../../lib/outcome/schema.ts';
import { sampleRecord } from '../fixtures/records/load.ts';

const FILE = new URL('../fixtures/records/event-v1.json', import.meta.url);
const record = sampleRecord();
const completed = record.events.find(({ type }) => type === 'completed');
if (completed === undefined) throw new Error('the stored run has not ended');
const event = buildEvent(record, completed, { source: '/flink-dispatch/prod', ledgerBucket: 'ledger' });
const stored: unknown = JSON.parse(readFileSync(FILE, 'utf8'));

it('an event that a subscriber has stored is one of today', () => {
  expect(lifecycleEventSchema.parse(stored)).toEqual(stored);
});

it('a run on record is told in the same words after an upgrade: fields are added alone', () => {
  expect(event).toMatchObject(stored as object);
});
