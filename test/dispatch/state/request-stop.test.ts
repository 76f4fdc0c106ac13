import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor } from '../../../lib/core/ids.ts';
import { requestStop, type StopOrder } from '../../../lib/dispatch/state/request-stop.ts';
import { tellDeployment } from '../../../lib/dispatch/state/tell-deployment.ts';
import { updateAttempt } from '../../../lib/run/machine.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { savepointTry } from '../../../lib/run/stop-request.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from '../steps/stepping.ts';
import { HOW, PLAN, stream } from './streaming.ts';

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

const TOLD = { kind: 'checkpoint', path: 's3://state/chk/3' } as const;

describe('a request to stop a stream', () => {
  const ASKED = { by: 'a person', reason: 'JobCanceled' } as const;
  const LAST_STATE: StopOrder = { ...ASKED, mode: 'last-state' };
  const order = (change: Partial<Extract<StopOrder, { mode: 'savepoint' }>> = {}): StopOrder => ({
    ...{ ...ASKED, mode: 'savepoint' },
    ...change,
  });
  async function stop(run: RunRecord, asked = order()): Promise<RunRecord | undefined> {
    await stepping.ledger.create(run);
    return (await requestStop(run.runId, asked, stepping.deps)) ? stepping.stored(run) : undefined;
  }

  it('is written with a try of its own, and is as its job says', async () => {
    const run = await stop(stream({}, { stopTries: 4 }));
    const savepoint = savepointTry(stream(), 5, HOW);
    const { now } = stepping;
    expect(run?.stopRequested).toEqual({
      ...{ mode: 'savepoint', at: now, by: 'a person', reason: 'JobCanceled', savepoint },
      ...{ until: now + 60_000, fallback: 'none' },
    });
    expect(run?.stopTries).toBe(5);
    const { runId, step } = stream();
    expect(stepping.sent).toEqual([{ message: { version: 1, runId, step: step.number }, delay: 0 }]);
  });

  it('is one with a savepoint once its JobManager has started, and none beside a cancel', async () => {
    const starting = { ...runIn('starting', 0), job: stream().job };
    const run = updateAttempt(starting, { jobManager: { podUid: 'jm', restartCount: 0 } });
    expect((await stop(run))?.stopRequested?.mode).toBe('savepoint');
    stepping = new Stepping();
    const cancelRequested = { at: 0, by: 'another', reason: 'JobCanceled' } as const;
    expect(await stop(stream({}, { cancelRequested }))).not.toHaveProperty('stopRequested');
  });

  it('needs a place for its savepoint', async () => {
    const { savepointDirectory, ...plan } = PLAN;
    const run = stream();
    const refused = stop({ ...run, job: { ...run.job, state: plan } });
    await expect(refused).rejects.toMatchObject({ reason: 'InvalidSpec' });
    expect([savepointDirectory, stepping.sent]).toEqual(['s3://state/sp', []]);
  });

  it('may say otherwise', async () => {
    const said = { format: 'CANONICAL', drain: true, fallback: 'last-state', deadline: 5 } as const;
    expect((await stop(stream(), order(said)))?.stopRequested).toMatchObject({
      ...{ savepoint: { format: 'CANONICAL', drain: true }, until: stepping.now + 5, fallback: 'last-state' },
    });
  });

  it.each<[string, () => RunRecord, StopOrder, Partial<RunRecord>]>([
    [
      'is a cancel before its JobManager has started',
      () => ({ ...runIn('starting', 0), job: stream().job }),
      order(),
      { cancelRequested: { at: 0, by: 'a person', reason: 'JobCanceled' } },
    ],
    [
      'takes the newest checkpoint',
      () => stream(),
      LAST_STATE,
      { stopRequested: { mode: 'last-state', at: 0, by: 'a person', reason: 'JobCanceled' } },
    ],
  ])('%s', async (_, run, asked, expected) => {
    stepping.now = 0;
    expect(await stop(run(), asked)).toMatchObject(expected);
  });

  it.each<[string, () => RunRecord]>([
    ['has ended', () => ({ ...runIn('ended', 0), job: stream().job })],
    ['is no stream', () => runIn('running', 0)],
  ])('is none where it %s', async (_, run) => {
    expect(await stop(run())).toBeUndefined();
    expect(stepping.sent).toEqual([]);
  });

  it('stands when it is asked for again', async () => {
    const first = await stop(stream());
    stepping.now += 1;
    expect(await stop(stream(), LAST_STATE)).toEqual(first);
  });
});

describe('the deployment of a run', () => {
  const deployment = {
    id: deploymentIdFor({ tenant: undefined, target: 't', namespace: 'n', name: 'a' }),
    generation: 1,
  };
  const run = stream({}, { deployment });
  it.each<[string, RunRecord, number]>([
    ['its state', { ...run, state: 'starting' }, 1],
    ['its attempt', updateAttempt(run, { number: 2 }), 1],
    ['what it left', updateAttempt(run, { snapshot: TOLD }), 1],
    ['a stop that failed', { ...run, stopFailed: { at: 1 } } as never, 1],
    ['that its state is not known', { ...run, stateUnknown: { message: 'm' } }, 1],
    ['that it is ready', { ...run, prepared: { readyAt: 1 } }, 1],
    ['nothing else', { ...run, updatedAt: 9, step: { number: 9, dueAt: 9 } }, 0],
  ])('is told of %s', async (_, after, count) => {
    await tellDeployment(run, after, stepping.deps);
    expect(stepping.sent).toEqual(Array(count).fill({ message: { version: 1, deployment: deployment.id }, delay: 0 }));
    stepping.faults.plan('send', 'before', new Error('no'));
    await tellDeployment(run, after, stepping.deps);
    expect(stepping.logged).toHaveLength(count);
  });
});
