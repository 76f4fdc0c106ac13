import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, type DeploymentId } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { sweepDeployments } from '../../../lib/dispatch/sweep/sweep-deployments.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { recordOf } from '../../deployment/job.ts';
import { request } from '../../deployment/request.ts';
import { MINUTE, runOf, Swept } from './swept.ts';

const record = recordOf([request('a', 1)]);
const { id } = record;
const LATE = 2 * MINUTE;

let swept: Swept;
let wanted: unknown[];
let forgotten: DeploymentId[];
let markedAt: number;
let takes: number;

const pass = (limits: { most?: number; time?: number } = {}, from?: string) =>
  sweepDeployments(from, swept.deps, { most: limits.most ?? 1_000, deadline: swept.now + (limits.time ?? MINUTE) });

beforeEach(() => {
  swept = new Swept();
  [wanted, forgotten, markedAt, takes] = [[], [], swept.now, 0];
  const list = swept.deployments.list.bind(swept.deployments);
  swept.deployments.list = async (page) => {
    wanted.push(page);
    swept.now += takes;
    const markers = await list(page);
    return markers.map((marker) => ({ ...marker, markedAt }));
  };
  swept.deployments.forget = (marker) => Promise.resolve(void forgotten.push(marker.id));
});

async function given(change: Partial<DeploymentRecord>): Promise<void> {
  await swept.deployments.mark(id);
  await swept.deployments.create({ ...omit(record, 'dueAt'), ...change });
}
const stored = () => swept.deployments.records[0]?.dueAt;
const MESSAGE = { message: { version: 1, deployment: id }, delay: 0 };

describe('a sweep of deployments', () => {
  it('wakes one for which something is two minutes late, and lets it be due from then on', async () => {
    await given({ state: 'running', dueAt: swept.now - LATE });
    expect(await pass()).toEqual({ looked: 1, woken: 1 });
    expect([swept.sent, stored()]).toEqual([[MESSAGE], swept.now]);
    const fields = { deployment: id, state: 'running', dueAt: swept.now - LATE };
    expect(swept.logged).toEqual([`warn a deployment was overdue ${JSON.stringify(fields)}`]);
    expect(await pass()).toEqual({ looked: 1, woken: 0 });
  });

  const run = { id: runOf('a').runId, generation: 1, why: 'create', at: 0 } as const;
  it.each<[string, (now: number) => Partial<DeploymentRecord>, 'launching' | 'closed' | undefined, number]>([
    ['is due, but not late', (now) => ({ dueAt: now - LATE + 1 }), undefined, 0],
    ['waits for nothing', () => ({}), undefined, 0],
    ['has a run that goes on', () => ({ run }), 'launching', 0],
    ['has a run that is closed', () => ({ run }), 'closed', 1],
    ['has a run that was never made', () => ({ run }), undefined, 1],
    ['has a run that is closed, and is due soon', (now) => ({ run, dueAt: now }), 'closed', 0],
  ])('one that %s', async (_, change, state, woken) => {
    await given({ state: 'running', ...change(swept.now) });
    if (state !== undefined) await swept.ledger.create(runOf('a', state));
    const before = stored();
    expect(await pass()).toEqual({ looked: 1, woken });
    expect([swept.sent.length, stored(), swept.logged.length]).toEqual([woken, before, woken]);
  });

  it('goes on with the others where one cannot be woken', async () => {
    await given({ state: 'running', dueAt: swept.now - LATE });
    swept.faults.plan('send', 'before', new Error('no'));
    expect(await pass()).toEqual({ looked: 1, woken: 0 });
    expect(swept.logged).toEqual([`warn a deployment could not be swept {"deployment":"${id}","error":"no"}`]);
    expect(stored()).toBe(swept.now - LATE);
  });
});

describe('the marker of a deployment', () => {
  const [event] = record.events;
  if (event === undefined) throw new Error('no event');
  const told = [{ ...event, publishedAt: 2 }];
  const untold = [...told, event];
  const OVER = 60 * MINUTE;
  it.each<[string, Partial<DeploymentRecord>, number, boolean]>([
    ['that is deleted', { state: 'deleted', events: told }, OVER, true],
    ['that is deleted, a moment before its hour', { state: 'deleted', events: told }, OVER - 1, false],
    ['that is deleted and has not told it', { state: 'deleted', events: untold }, OVER, false],
    ['that is deleted and has something to clean up', { state: 'deleted', events: told, dueAt: 1 }, OVER, true],
    ['that is finished', { state: 'finished', events: told }, OVER, true],
    ['that is finished and has something to do', { state: 'finished', events: told, dueAt: Infinity }, OVER, false],
    ['that runs', { state: 'running', events: told }, OVER, false],
  ])('%s', async (_, change, age, goes) => {
    swept.now += age;
    await given(change.dueAt === Infinity ? { ...change, dueAt: swept.now } : change);
    expect(await pass()).toEqual({ looked: 1, woken: 0 });
    expect(forgotten).toEqual(goes ? [id] : []);
  });

  it.each([
    [OVER - 1, 0],
    [OVER, 1],
  ])('without a record is taken away after an hour: %i ms', async (age, count) => {
    await swept.deployments.mark(id);
    swept.now += age;
    await pass();
    expect([forgotten.length, swept.sent]).toEqual([count, []]);
  });
});

describe('a pass over deployments', () => {
  const idOf = (n: number) => deploymentIdFor({ tenant: undefined, target: 't', namespace: 'flink', name: `d${n}` });
  const ids = Array.from({ length: 250 }, (_, n) => idOf(n)).sort();
  const mark = async (count: number) => {
    for (const one of ids.slice(0, count)) await swept.deployments.mark(one);
  };

  it('takes pages of a hundred, to the last', async () => {
    await mark(250);
    expect(await pass()).toEqual({ looked: 250, woken: 0 });
    expect(wanted).toEqual([
      { limit: 100 },
      { limit: 100, after: ids[99] },
      { limit: 100, after: ids[199] },
      { limit: 100, after: ids[249] },
    ]);
  });

  it('begins behind the last place, unless that is none', async () => {
    await mark(3);
    expect(await pass({}, ids[1])).toEqual({ looked: 1, woken: 0 });
    expect(await pass({}, 'no id')).toEqual({ looked: 3, woken: 0 });
  });

  it('ends at its number, and says where', async () => {
    await mark(150);
    expect(await pass({ most: 120 })).toEqual({ looked: 120, woken: 0, stoppedAt: ids[119] });
    expect(wanted).toEqual([{ limit: 100 }, { limit: 20, after: ids[99] }]);
  });

  it('ends at its time, and says where', async () => {
    await mark(250);
    takes = 10;
    expect(await pass({ time: 20 })).toEqual({ looked: 200, woken: 0, stoppedAt: ids[199] });
  });

  it('ends where they cannot be listed', async () => {
    await mark(1);
    swept.deployments.faults.plan('list', 'before', new Error('no'));
    expect(await pass()).toEqual({ looked: 0, woken: 0 });
    expect(swept.logged).toEqual(['warn deployments could not be listed {"error":"no"}']);
  });
});
