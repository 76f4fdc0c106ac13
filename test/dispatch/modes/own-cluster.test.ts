import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptContext } from '../../../lib/dispatch/attempt-context.ts';
import { makeCluster, removeCluster, withdraw } from '../../../lib/dispatch/modes/own-cluster.ts';
import type { StartAnswer } from '../../../lib/kubernetes/cluster/port.ts';
import { currentAttempt, updateAttempt } from '../../../lib/run/machine.ts';
import type { ActiveRun, Attempt, LaunchedRun, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from '../steps/stepping.ts';

const UID = 'made';
let stepping: Stepping;
let done: string[];
let busy: number;

beforeEach(() => {
  stepping = new Stepping();
  done = [];
  busy = 0;
});

function contextOf(run: LaunchedRun): AttemptContext<ActiveRun> {
  const { target, deps } = stepping;
  const attempt = currentAttempt(run);
  const ref = { namespace: 'flink', clusterId: attempt.clusterId };
  return { run, job: run.job, attempt, ref, target, deps } as unknown as AttemptContext<ActiveRun>;
}

/** What a launch is answered when it asks whether its program may begin, with this record by then. */
async function answerTo(now: RunRecord | undefined): Promise<StartAnswer | undefined> {
  if (now !== undefined) await stepping.ledger.create(now);
  let answer: StartAnswer | undefined;
  stepping.clusters.apply = async (_cluster, _owner, mayStart) => {
    answer = await mayStart?.(UID);
    return 'created';
  };
  await makeCluster(contextOf(runIn('launching', 0)), { namespace: 'flink' } as never);
  return answer;
}
const launching = (attempt: Partial<Attempt> = {}): RunRecord => updateAttempt(runIn('launching', 0), attempt);
const asked = { at: 0, by: 'a person', reason: 'JobCanceled' } as const;

describe('a program', () => {
  it.each<[string, () => RunRecord | undefined, StartAnswer]>([
    ['begins while its launch is looked for', launching, 'grant'],
    ['begins where the look was faster', () => runIn('starting', 0), 'grant'],
    ['begins where its job was seen to run', () => runIn('running', 0), 'grant'],
    ['begins in the Deployment that is on record', () => launching({ deploymentUid: UID }), 'grant'],
    ['begins in no other one', () => launching({ deploymentUid: 'first' }), 'rollback'],
    ['does not begin without a record', () => undefined, 'rollback'],
    ['does not begin in an attempt that is over', () => launching({ number: 2 }), 'rollback'],
    ['does not begin before there is an attempt', () => ({ ...runIn('accepted', 0), attempts: [] }), 'rollback'],
    ['does not begin while the run waits', () => runIn('waiting', 0), 'rollback'],
    ['does not begin when the run is closed', () => runIn('closed', 0), 'rollback'],
    ['does not begin when its cluster is gone', () => runIn('cleaning', 0), 'rollback'],
    ['does not begin in a cluster that is kept', () => ({ ...runIn('cleaning', 0), keepUntil: 1 }), 'withhold'],
    ['does not begin after its end', () => runIn('ended', 0), 'withhold'],
    ['does not begin when it is canceled', () => ({ ...launching(), cancelRequested: asked }), 'withhold'],
    ['does not begin when its permit is withdrawn', () => launching({ startRevokedAt: 1 }), 'withhold'],
  ])('%s', async (_, now, answer) => {
    expect(await answerTo(now())).toBe(answer);
  });
});

describe('the place of a cluster', () => {
  beforeEach(() => {
    stepping.clusters.admit = () => {
      done.push('admit');
      busy -= 1;
      const place = {
        settle: () => Promise.resolve(void done.push('settle')),
        giveBack: () => Promise.resolve(void done.push('give back')),
      };
      return Promise.resolve(busy >= 0 ? 'busy' : place);
    };
  });

  it('is settled when its Deployment stands, and given back in any case', async () => {
    await answerTo(launching());
    expect(done).toEqual(['admit', 'settle', 'give back']);
    done = [];
    stepping.clusters.apply = () => Promise.reject(new Error('no'));
    await expect(makeCluster(contextOf(runIn('launching', 0)), {} as never)).rejects.toThrow('no');
    expect(done).toEqual(['admit', 'give back']);
  });

  it.each([
    [11, true],
    [12, false],
  ])('is asked for again while others are admitted, %i times: %s', async (times, has) => {
    busy = times;
    const made = makeCluster(contextOf(runIn('launching', 0)), { namespace: 'flink', dependents: [] } as never);
    if (has) await made;
    else await expect(made).rejects.toMatchObject({ reason: 'QuotaExceeded' });
    expect(stepping.slept).toEqual(Array(times).fill(250));
  });
});

describe('the cluster of an attempt', () => {
  it('is on record by its Deployment before the first look', async () => {
    stepping.clusters.apply = async (_cluster, _owner, mayStart) => {
      await mayStart?.(UID);
      return 'created';
    };
    const made = await makeCluster(contextOf(runIn('launching', 0)), {} as never);
    expect(made).toMatchObject({ state: 'starting', attempts: [{ deploymentUid: UID, createdAt: stepping.now }] });
    stepping.clusters.apply = () => Promise.resolve('found');
    const found = await makeCluster(contextOf(runIn('launching', 0)), {} as never);
    expect(found.attempts[0]).not.toHaveProperty('deploymentUid');
  });

  it('is removed by its uid and its owner, and of nobody else', async () => {
    const removals: unknown[] = [];
    stepping.clusters.remains = (_ref, what) => {
      removals.push(what);
      return Promise.resolve([]);
    };
    const { runId } = runIn('launching', 0);
    const owner = { kind: 'run', runId, attempt: 1, ledger: 'ledger' };
    await removeCluster(contextOf(runIn('launching', 0)), { highAvailability: false });
    await removeCluster(contextOf(launching({ deploymentUid: UID }) as LaunchedRun), { highAvailability: true });
    expect(removals).toEqual([
      { highAvailability: false, owner },
      { highAvailability: true, owner, uid: UID },
    ]);
  });

  it('lets nothing begin any more, which is on record', async () => {
    const revoked: unknown[] = [];
    stepping.clusters.revoke = (ref, owner) => Promise.resolve(void revoked.push([ref.clusterId, owner]));
    const run = await withdraw(contextOf(runIn('starting', 0)));
    expect(run.attempts[0]?.startRevokedAt).toBe(stepping.now);
    const owner = { kind: 'run', runId: run.runId, attempt: 1, ledger: 'ledger' };
    expect(revoked).toEqual([[run.attempts[0]?.clusterId, owner]]);
  });
});
