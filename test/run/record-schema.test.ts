import { describe, expect, it } from 'vitest';
import { parseRecord, type runRecordSchema } from '../../lib/run/record-schema.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { sampleRecord, STORED_V1 } from '../fixtures/records/load.ts';

/** Stops compiling when the type has a field that the schema does not know. */
const fields = {} as Record<keyof RunRecord, true> satisfies Record<keyof typeof runRecordSchema.shape, true>;

describe('parseRecord', () => {
  it('reads the record that version 1 stored, whole', () => {
    expect(parseRecord(STORED_V1)).toEqual(JSON.parse(STORED_V1));
    expect(fields).toBeDefined();
  });

  it('keeps fields of a later deployment of the same version', () => {
    const record = { ...sampleRecord(), added: { x: 1 }, look: { number: 1, dueAt: 2, added: true } };
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    [{ version: 2 }, 'version', /version 2; this deployment reads version 1/],
    [{ version: 0 }, 'version', /damaged/],
    [{ state: 'gone' }, 'state', /run record 0123456789abcdef0123 is damaged: state: /],
    [{ attempts: [{ number: 1 }] }, 'attempts.0.clusterId', /damaged/],
    [{ runId: 'x' }, 'runId', /must be a run id/],
  ])('refuses %o naming the field', (change, field, message) => {
    const text = JSON.stringify({ ...sampleRecord(), ...change });
    expect(() => parseRecord(text)).toThrow(expect.objectContaining({ reason: 'Internal', field }));
    expect(() => parseRecord(text)).toThrow(message);
  });

  it('refuses what is no JSON', () => {
    expect(() => parseRecord('{')).toThrow('no JSON');
  });
});
