import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor } from '../../../lib/core/ids.ts';
import { sweep } from '../../../lib/dispatch/sweep/sweep.ts';
import { FoundClusters, MINUTE, Swept } from './swept.ts';

const idOf = (name: string) => deploymentIdFor({ tenant: undefined, target: 't', namespace: 'flink', name });
const IDS = ['a', 'b', 'c'].map(idOf).sort();

let swept: Swept;
let found: FoundClusters;
const pass = (most: number, time = MINUTE) => sweep(['t'], swept.deps, { most, deadline: swept.now + time });

beforeEach(() => {
  swept = new Swept();
  found = new FoundClusters(swept, 't');
});

async function fill(): Promise<void> {
  for (const name of ['a', 'b', 'c']) {
    await swept.mark(name);
    await swept.deployments.mark(idOf(name));
    found.add(name, 60 * MINUTE);
  }
}
const place = (index: number) => ({
  ...{ run: ['a', 'b', 'c'][index] ?? '', deployment: IDS[index] ?? '' },
  cluster: `t/flink/${found.standing[index]?.clusterId ?? ''}`,
});

describe('where a sweep stopped', () => {
  it('is written of runs, deployments and clusters when each is reached, and the next one goes on there', async () => {
    await fill();
    found.goes = false;
    await pass(2);
    const { run, deployment } = place(1);
    expect(swept.places).toEqual([{ run }, { run, deployment }, place(1)]);
    swept.from = place(1);
    swept.places.length = 0;
    expect(await pass(10)).toMatchObject({ looked: 3, deployments: 1, leaked: 3 });
    expect(swept.places.at(-1)).toEqual({});
  });

  it('is not written where nothing has changed', async () => {
    await fill();
    found.goes = false;
    swept.from = place(2);
    await pass(0);
    expect(swept.places).toEqual([]);
  });

  it('is unknown where it cannot be read: the sweep begins anew', async () => {
    await fill();
    swept.from = place(1);
    swept.faults.plan('places', 'before', new Error('no'));
    await pass(10);
    expect(swept.pages[0]).toEqual({ limit: 10 });
    expect(swept.logged[0]).toBe('warn the sweep begins anew {"error":"no"}');
  });

  it('is written with the next one where it could not be', async () => {
    await fill();
    found.goes = false;
    swept.faults.plan('place', 'before', new Error('no'));
    await pass(2);
    expect(swept.logged).toContain('warn where the sweep stopped was not kept {"error":"no"}');
    const { run, deployment } = place(1);
    expect(swept.places).toEqual([{ run, deployment }, place(1)]);
  });

  it('leaves a quarter of the time to deployments and to clusters, however many runs there are', async () => {
    await fill();
    found.removalTakes = 10;
    swept.pageTakes = 100;
    for (let i = 0; i < 200; i += 1) await swept.mark(String(i).padStart(3, '0'));
    for (const name of ['d', 'e', 'f']) await swept.deployments.mark(idOf(name));
    const began = swept.now;
    const list = swept.deployments.list.bind(swept.deployments);
    swept.deployments.list = (page) => {
      swept.now += 15;
      return list({ ...page, limit: 1 });
    };
    expect(await pass(1_000, 200)).toMatchObject({ looked: 100, deployments: 4, leaked: 3 });
    expect(swept.now).toBe(began + 100 + 4 * 15 + 30);
  });
});
