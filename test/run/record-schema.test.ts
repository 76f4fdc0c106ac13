import { describe, expect, it } from 'vitest';
import { parseRecord, type runRecordSchema } from '../../lib/run/record-schema.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { launchedSample, sampleRecord, STORED_V1 } from '../fixtures/records/load.ts';

/** Stops compiling when the types have a field that the schema does not know. */
type Fields<R> = R extends unknown ? keyof R : never;
type Known = Fields<(typeof runRecordSchema.options)[number]['shape']>;
const fields = {} as Record<Fields<RunRecord>, true> satisfies Record<Known, true>;

describe('parseRecord', () => {
  it('reads the record that version 1 stored, whole', () => {
    expect(parseRecord(STORED_V1)).toEqual(JSON.parse(STORED_V1));
    expect(fields).toBeDefined();
  });

  it('keeps fields of a later deployment of the same version', () => {
    const record = { ...sampleRecord(), added: { x: 1 }, step: { number: 1, dueAt: 2, added: true } };
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    [{ version: 2 }, 'version', /version 2; this deployment reads version 1/],
    [{ version: 0 }, 'version', /damaged/],
    [{ state: 'gone' }, 'state', /run record 0123456789abcdef0123 is damaged: state: /],
    [{ attempts: [{ number: 1 }] }, 'attempts.0.clusterId', /damaged/],
    [{ runId: 'x' }, 'runId', /must be a run id/],
    [{ outcome: undefined }, 'outcome', /damaged: outcome: /],
    [{ job: undefined }, 'job', /is missing, and the run has attempts/],
    [{ state: 'waiting' }, 'outcome', /damaged/],
    [{ state: 'waiting', outcome: undefined, job: undefined }, 'job', /damaged/],
    [{ state: 'launching', outcome: undefined, attempts: [] }, 'attempts.0', /damaged/],
    [{ state: 'running', outcome: undefined, job: undefined }, 'job', /damaged/],
    [{ job: { ...launchedSample().job, mode: 'session' } }, 'job.session', /damaged/],
    [{ job: { ...launchedSample().job, mode: 'batch' } }, 'job.mode', /damaged/],
  ])('refuses %o naming the field', (change, field, message) => {
    const text = JSON.stringify({ ...sampleRecord(), ...change });
    expect(() => parseRecord(text)).toThrow(expect.objectContaining({ reason: 'Internal', field }));
    expect(() => parseRecord(text)).toThrow(message);
  });

  it('refuses what is no JSON', () => {
    expect(() => parseRecord('{')).toThrow('no JSON');
  });
});
