import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { omit } from '../../lib/core/omit.ts';
import { applyRequest } from '../../lib/deployment/generations.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../lib/deployment/record.ts';
import { parseDeployment, parseDeploymentRequest } from '../../lib/deployment/record-schema.ts';
import type { RunSource } from '../../lib/trigger/request.ts';
import { jobIn, recordOf } from './job.ts';
import { request as requestOf } from './request.ts';

const upload = (sequencer: string, key = 'orders.jar'): RunSource => ({
  ...{ kind: 'jar-upload', bucket: 'jars', key, sequencer, eventTime: 0 },
});
const message = (messageId: string): RunSource => ({ kind: 'message', queueArn: 'arn:q', messageId });

const request = (name: string, at: number, source: RunSource, change: Partial<DeploymentRequest> = {}) =>
  requestOf(name, at, { source, by: source.kind === 'jar-upload' ? `s3://jars/${source.key}` : 'arn:q', ...change });

const told = (record: DeploymentRecord) => record.events.map(({ type, generation }) => `${type} ${generation}`);

describe('a request', () => {
  it('makes the first generation of its deployment, whose numbers ask for nothing', () => {
    const wish = { state: 'running', nonces: { restart: 3 } } as const;
    const record = recordOf([request('a', 1, message('1'), { wish })]);
    expect(record).toMatchObject({ wanted: 1, reached: 0, runs: 0, done: { restart: 3 }, state: 'starting' });
    expect(parseDeployment(JSON.stringify(record))).toEqual(record);
  });

  it('is wanted in place of the one before it, which is told so if it never came true', () => {
    const record = recordOf(['a', 'b', 'c'].map((name, n) => request(name, n, message(name))));
    expect(record.wanted).toBe(3);
    expect(told(record)).toEqual(['accepted 1', 'accepted 2', 'superseded 1', 'accepted 3', 'superseded 2']);
    const reached = applyRequest({ ...record, reached: 3 }, request('d', 9, message('d')), 9, false);
    expect(reached.kind === 'changed' && told(reached.record).at(-1)).toBe('accepted 4');
  });

  it('that is in the record is known, and changes nothing', () => {
    const [a, b] = [request('a', 1, message('a')), request('b', 2, message('b'))];
    expect(applyRequest(recordOf([a, b]), a, 3, true)).toMatchObject({ kind: 'known', generation: { number: 1 } });
  });

  it('of an older upload gets a number, and never takes the place of a newer one', () => {
    const newer = recordOf([request('b', 1, upload('0A')), request('m', 2, message('m'))]);
    const applied = applyRequest(newer, request('a', 3, upload('09')), 3, false);
    expect(applied).toMatchObject({
      kind: 'changed',
      record: { wanted: 2 },
      generation: { number: 3, superseded: true },
    });
    expect(applied.kind === 'changed' && told(applied.record).slice(-2)).toEqual(['accepted 3', 'superseded 3']);
    const other = applyRequest(newer, request('c', 3, upload('01', 'other.jar')), 3, false);
    expect(other).toMatchObject({ kind: 'changed', record: { wanted: 3 } });
  });

  it('whose record was lost in a crash counts if it is the newest, and gives way to a newer one', () => {
    const record = recordOf([request('b', 5, message('b'))]);
    expect(applyRequest(record, request('a', 4, message('a')), 6, true)).toMatchObject({
      kind: 'changed',
      record: { wanted: 1 },
      generation: { number: 2, superseded: true },
    });
    expect(applyRequest(record, request('c', 7, message('c')), 8, true)).toMatchObject({ record: { wanted: 2 } });
  });

  it('that comes too late is still the newest upload of its key, and is told of whatever becomes of its message', () => {
    const record = recordOf([request('a', 1, upload('01')), request('m', 5, message('m'))]);
    const late = applyRequest({ ...record, dueAt: 999 }, request('c', 4, upload('03')), 6, true);
    if (late.kind !== 'changed') throw new Error(late.kind);
    expect(late).toMatchObject({ generation: { superseded: true }, record: { wanted: 2, dueAt: 6 } });
    const older = applyRequest(late.record, request('b', 7, upload('02')), 7, false);
    expect(older).toMatchObject({
      generation: { superseded: true },
      record: { wanted: 2, upload: { sequencer: '03' } },
    });
  });

  it('of a later upload, accepted before and written after an earlier one, is the one that is wanted', () => {
    const record = recordOf([request('a', 5, upload('02'))]);
    expect(applyRequest(record, request('b', 4, upload('03')), 6, true)).toMatchObject({ record: { wanted: 2 } });
    expect(applyRequest(record, request('b', 4, upload('01')), 6, true)).toMatchObject({ record: { wanted: 1 } });
  });

  it('of long ago, which the record has forgotten, is told of once alone', () => {
    const many = Array.from({ length: 60 }, (_, n) => request(`r${n}`, n, message(String(n))));
    const record = recordOf(many);
    expect(record.generations.length).toBeLessThanOrEqual(21);
    const first = many[0];
    expect(first && applyRequest(record, first, 99, true)).toEqual({ kind: 'known' });
  });

  it('is the same job when only how its state is kept has changed, and another one for each upload', () => {
    const plan = jobIn('a').state;
    const later = { ...jobIn('a'), state: { ...plan, savepointDeadline: 1 }, notify: ['arn:topic'] };
    const record = recordOf([
      request('a', 1, message('1')),
      request('b', 2, message('2'), { job: later }),
      request('a', 3, upload('01'), { requestId: runIdFor('u1') }),
      request('a', 4, upload('02'), { requestId: runIdFor('u2') }),
    ]);
    const [one, two, three, four] = record.generations.map(({ job }) => job);
    expect(two).toBe(one);
    expect(new Set([one, three, four]).size).toBe(3);
  });

  it('reads back as it was kept, and says what is wrong with one that does not', () => {
    const kept = request('a', 1, message('1'));
    expect(parseDeploymentRequest(JSON.stringify(kept))).toEqual(kept);
    const job = omit(kept.job, 'state');
    expect(() => parseDeploymentRequest(JSON.stringify({ ...kept, job }))).toThrow(/job\.state: is missing/);
    expect(() => parseDeploymentRequest(JSON.stringify({ ...kept, version: 2 }))).toThrow(/deploy the newer one/);
  });
});
