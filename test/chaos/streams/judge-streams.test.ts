import { describe, expect, it } from 'vitest';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { hear, NOTHING_HEARD, type Account, type Testimony } from '../../counter/account.ts';
import type { DeploymentDelivery } from '../subscriber.ts';
import { judgeStream, type StreamEvidence } from './judge-streams.ts';

const ID = 'd'.repeat(20);
const SAVED = 's3://state/savepoints/one';

type Told = Testimony extends infer One ? (One extends Testimony ? Omit<One, 'at' | 'pod' | 'variant'> : never) : never;

function heard(...told: readonly Told[]): Account {
  const whole: readonly Testimony[] = told.map((one) => ({ ...one, at: 0, pod: 'p', variant: 'first' }));
  return whole.reduce(hear, NOTHING_HEARD);
}

const [first, second] = [
  { life: 'a', job: 'job-1' },
  { life: 'b', job: 'job-2' },
] as const;
const one = { kind: 'number', number: 1, count: 1, sum: 1 } as const;
const two = { kind: 'number', number: 2, count: 1, sum: 2 } as const;
const EXACT = [
  { ...first, kind: 'open', position: 0 },
  { ...first, ...one },
  { ...first, kind: 'checkpoint', checkpoint: 1, position: 1 },
  { ...second, kind: 'open', position: 1 },
  { ...second, ...two },
] as const;

function run(number: number, change: object = {}): RunRecord {
  return {
    ...{ runId: `run-${number}`, createdAt: number, state: 'closed', deployment: { id: ID } },
    outcome: { state: 'succeeded', reason: 'StoppedWithSavepoint', message: '' },
    attempts: [{ jobId: `job-${number}`, snapshot: { path: `${SAVED}-${number}` } }],
    ...change,
  } as unknown as RunRecord;
}

const NEXT = { attempts: [{ jobId: 'job-2', restoredFrom: { path: `${SAVED}-1` }, snapshot: { path: 'x' } }] };
const event = { id: `${ID}.1`, subject: ID, data: { sequence: 1 } };
const DELIVERY = { event, text: 'told' } as unknown as DeploymentDelivery;

function violationsOf(change: Partial<StreamEvidence>): readonly string[] {
  const violations: string[] = [];
  const evidence: StreamEvidence = {
    ...{ name: 'it', upgrades: 1, isWhole: true, account: heard(...EXACT) },
    record: { id: ID, state: 'suspended', sequence: 1 } as DeploymentRecord,
    ...{ records: [run(1), run(2, NEXT)], deliveries: [DELIVERY] },
    ...change,
  };
  judgeStream(evidence, (holds, what) => void (holds || violations.push(what)));
  return violations;
}

describe('the judge of streams', () => {
  it('finds nothing where the counter goes on', () => {
    expect(violationsOf({})).toEqual([]);
  });

  it('is no friend of two jobs at once, of an older restore, or of a gap', () => {
    const beside = heard(...EXACT, { ...first, ...two });
    expect(violationsOf({ account: beside })).toEqual([expect.stringContaining('two jobs at once')]);
    const [open, number, checkpoint] = EXACT;
    const older = heard(open, number, checkpoint, { ...second, kind: 'open', position: 0 }, { ...second, ...one });
    expect(violationsOf({ account: older })).toEqual([
      expect.stringContaining('from before the last complete checkpoint'),
      expect.stringContaining('after a savepoint 1 was followed by 1'),
    ]);
    const gap = heard(open, number, { ...second, kind: 'open', position: 2 });
    expect(violationsOf({ account: gap })[0]).toContain('a gap');
  });

  it('wants each run to begin from what the last one left', () => {
    const empty = run(2, { attempts: [{ jobId: 'job-2' }] });
    expect(violationsOf({ records: [run(1), empty] })).toEqual([
      `it: run run-2 begins from nothing, left was ${SAVED}-1`,
    ]);
  });

  it('wants all upgrades, an end, all events and no failure of the job itself', () => {
    expect(violationsOf({ upgrades: 2 })).toEqual(['it: 2 jobs for 2 upgrades']);
    expect(violationsOf({ record: undefined })).toEqual(['it has no deployment']);
    const going = { id: ID, state: 'running', sequence: 1, run: { id: 'run-2' } } as DeploymentRecord;
    expect(violationsOf({ record: going })).toHaveLength(2);
    expect(violationsOf({ records: [run(1), run(2, { ...NEXT, state: 'cleaning' })] })).toHaveLength(1);
    const beside = { name: 'it', deployment: undefined };
    expect(violationsOf({ records: [run(1), run(2, NEXT), run(3, beside)] })).toEqual([
      'it: run-3 is no run of its deployment: ',
    ]);
    const overwritten = { ...beside, attempts: [], outcome: { state: 'rejected', reason: 'JarNotFound' } };
    expect(violationsOf({ records: [run(1), run(2, NEXT), run(3, overwritten)] })).toEqual([]);
    expect(violationsOf({ deliveries: [] })).toEqual(['it: nobody got event 1']);
    const other = { ...DELIVERY, text: 'otherwise' };
    expect(violationsOf({ deliveries: [DELIVERY, other] })).toEqual(['it: event 1 has more than one content']);
    const failed = { ...NEXT, outcome: { state: 'failed', reason: 'JobFailed', message: 'why' } };
    expect(violationsOf({ records: [run(1), run(2, failed)] })).toEqual([
      'it: run run-2 ended as failed JobFailed: why',
    ]);
  });
});
