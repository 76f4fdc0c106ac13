import { describe, expect, it } from 'vitest';
import { parseRow, rowOf, rowText, type RunRow } from '../../lib/run/row.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { runIdFor } from '../../lib/core/ids.ts';

const row: RunRow = {
  runId: runIdFor('a'),
  tenant: 'payments',
  name: 'nightly',
  trigger: 'schedule',
  state: 'failed',
  reason: 'JobFailed',
  acceptedAt: Date.parse('2026-11-21T06:00:00Z'),
  endedAt: Date.parse('2026-11-21T06:10:00Z'),
  attempts: 2,
};

describe('the text of a row', () => {
  it('says all that the row has, and no more than a key can hold', () => {
    expect(parseRow(rowText(row))).toEqual(row);
    const { runId, name, trigger, acceptedAt, attempts } = row;
    const less: RunRow = { runId, name, trigger, acceptedAt, attempts, state: 'running' };
    expect(parseRow(rowText(less))).toEqual(less);
    const long = rowOf(sampleRecord({ name: '\u{1f600}~/'.repeat(60) }));
    expect(Buffer.byteLength(rowText(long))).toBeLessThan(900);
    expect(parseRow(rowText(long))).toEqual(long);
    expect(rowText(long)).not.toContain('/');
  });

  it('sorts by the time at which the run was accepted, the newest first', () => {
    const texts = [3, 1, 2].map((at) => rowText({ ...row, acceptedAt: row.acceptedAt + at }));
    const sorted = [...texts].sort().map((text) => (parseRow(text)?.acceptedAt ?? 0) - row.acceptedAt);
    expect(sorted).toEqual([3, 2, 1]);
  });

  const whole = rowText(row);
  it.each([
    ...['', 'x', '%E0%A4%A', 'a~b~c~d~e~f~g~h~i'],
    ...[whole.replace('failed', 'a-later-state'), whole.replace('schedule', 'a-later-trigger')],
    ...[whole.replace(row.runId, 'x'), whole.replace(/^\d+/, 'soon'), whole.replace(/~nightly$/, '')],
  ])('that is none is passed over: %j', (text) => expect(parseRow(text)).toBeUndefined());
});

describe('rowOf', () => {
  it.each([
    ['accepted', 'accepted'],
    ['launching', 'starting'],
    ['starting', 'starting'],
    ['running', 'running'],
  ] as const)('a run that is %s is shown as %s', (state, shown) => {
    expect(
      rowOf({ ...sampleRecord(), outcome: undefined, state } as unknown as ReturnType<typeof sampleRecord>).state,
    ).toBe(shown);
  });

  it('a run that has ended is shown by its outcome', () => {
    const ended = sampleRecord();
    expect(ended.outcome).toBeDefined();
    const { state, reason, at } = ended.outcome;
    expect(rowOf(ended)).toMatchObject({ state, reason, endedAt: at });
  });

  it('says whose run it is', () => {
    expect(rowOf(sampleRecord({ tenant: 'payments' })).tenant).toBe('payments');
    expect(rowOf(sampleRecord())).not.toHaveProperty('tenant');
  });
});
