import { describe, expect, it } from 'vitest';
import { adopt, isToAdopt, noteAdopted } from '../../lib/deployment/adopt.ts';
import { decideDeployment } from '../../lib/deployment/decide.ts';
import { applyRequest } from '../../lib/deployment/generations.ts';
import type { DeploymentRecord, DeploymentRun } from '../../lib/deployment/record.ts';
import type { ActiveRun, Outcome, RunRecord } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';
import { jobIn, recordOf } from './job.ts';
import { request } from './request.ts';

/** A run of its own, which an upload asked for. */
const run: ActiveRun = { ...runIn('running', 60_000), createdAt: NOW - 60_000 };
const upload = (version: number) => {
  const source = { kind: 'jar-upload', bucket: 'jars', key: 'orders.jar', eventTime: 0 } as const;
  return request(`v${version}`, NOW, { source: { ...source, sequencer: `0055AED6DCD90281E${version}` } });
};
const first = { ...upload(1), requestId: run.runId, at: run.createdAt };
const stream = { ...run, job: { ...run.job, state: jobIn('v1').state } };

/** Its deployment, in which another version is wanted. */
function adopted(before?: DeploymentRecord): DeploymentRecord {
  const record = adopt(before, { request: first, run, guessed: true }, NOW);
  if (record === undefined) throw new Error('not adopted');
  const applied = applyRequest(record, upload(2), NOW, false);
  if (applied.kind !== 'changed') throw new Error('not accepted');
  return applied.record;
}

const ownOf = ({ run: own }: DeploymentRecord) => own as DeploymentRun;

function closed(outcome: Partial<Outcome>, of: RunRecord = run): RunRecord {
  const plain: Outcome = { state: 'failed', reason: 'JobFailed', message: 'why', at: NOW, evidence: [] };
  return { ...of, state: 'closed', outcome: { ...plain, ...outcome } };
}

const told = ({ events }: DeploymentRecord) => events.map(({ type, generation }) => `${type} ${generation}`);

describe('a run that a deployment takes over', () => {
  it('is its first run, by the request that had asked for it', () => {
    expect(adopted()).toMatchObject({
      ...{ state: 'starting', wanted: 2, reached: 0, runs: 1, guessed: true },
      run: { id: run.runId, generation: 1, why: 'create', at: run.createdAt, adopted: {} },
    });
    expect(adopt(undefined, { request: first, run, guessed: false }, NOW)).not.toHaveProperty('guessed');
  });

  it('takes the place of what is over, and of nothing that had it before, or was newer', () => {
    const over = { ...recordOf([upload(0)]), state: 'finished', finishedAt: 1, reached: 1, runs: 1 } as const;
    const settled = { generation: 1, reason: 'JobFinished', message: '', choices: [], at: 1 } as const;
    const record = adopted({ ...over, settled });
    expect(record).toMatchObject({ wanted: 3, runs: 2, run: { generation: 2 } });
    expect(record).not.toHaveProperty('finishedAt');
    expect(record).not.toHaveProperty('settled');
    expect(adopt(record, { request: first, run, guessed: true }, NOW)).toBeUndefined();
    const newer = { ...recordOf([upload(9)]), state: 'finished' } as const;
    expect(adopt(newer, { request: first, run, guessed: true }, NOW)).toBeUndefined();
  });

  it('is asked for nothing before its record says whose it is', () => {
    const record = adopted();
    const asked = decideDeployment(record, run, NOW);
    expect(asked.effects).toEqual([{ kind: 'adopt-run', run: record.run }]);
    expect(asked.record).toBe(record);
    const known = noteAdopted(record, ownOf(record), NOW);
    expect(isToAdopt(ownOf(known))).toBe(false);
    expect(noteAdopted(known, ownOf(known), NOW + 1)).toBe(known);
    const next = decideDeployment(known, { ...stream, deployment: { id: record.id, generation: 1 } }, NOW);
    expect(told(next.record)).toEqual(['accepted 1', 'accepted 2', 'started 1', 'upgrading 2']);
    expect(next.record.events[2]?.message).toContain('which Flink runs as a stream');
    expect(next.effects).toMatchObject([{ kind: 'stop-run', stop: { mode: 'savepoint', fallback: 'none' } }]);
  });

  it('is stopped with a savepoint, whatever the next version would have: its checkpoints go when it is canceled', () => {
    const plan = { ...jobIn('v2').state, upgradeMode: 'last-state', fallback: 'last-state' } as const;
    const record = noteAdopted(adopted(), ownOf(adopted()), NOW);
    const generations = record.generations.map((one) => (one.number === 2 ? { ...one, plan } : one));
    const { effects } = decideDeployment({ ...record, generations }, stream, NOW);
    expect(effects).toMatchObject([{ kind: 'stop-run', stop: { mode: 'savepoint', fallback: 'none' } }]);
  });

  it('that ended before leaves a state that nobody knows, so that nothing begins empty', () => {
    const { record } = decideDeployment(adopted(), closed({ message: 'no more memory' }), NOW);
    expect(record).toMatchObject({ state: 'blocked', settled: { generation: 2, reason: 'StateUnknown' } });
    expect(record.settled?.message).toMatch(/ended before its deployment could keep its state: no more memory/);
  });

  it('that finished by itself was none that goes on for ever: the next version begins anew', () => {
    const finished = { state: 'succeeded', reason: 'JobFinished' } as const;
    for (const of of [run, stream]) {
      const { record, effects } = decideDeployment(adopted(), closed(finished, of), NOW);
      expect(effects).toMatchObject([{ kind: 'start-run', run: { generation: 2 } }]);
      expect(record.run).not.toHaveProperty('startFrom');
    }
    const alone = adopt(undefined, { request: first, run, guessed: true }, NOW);
    expect(alone && decideDeployment(alone, closed(finished), NOW).record.state).toBe('finished');
  });
});
