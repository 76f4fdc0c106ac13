import { expect, it } from 'vitest';
import { advanceDeployment } from '../../../lib/dispatch/deployment/advance-deployment.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { STREAM_FOREVER } from '../scripted/stream.ts';
import { World } from '../scripted/world.ts';
import { CHECKPOINTS, SAVEPOINTS, stream } from './stream-world.ts';

/** Deployments over runs as their own functions take them, on a Flink of the tests. */
class Whole {
  readonly world = new World({ inlineWait: 0 });
  private taken = 0;

  constructor() {
    this.world.flink.behaviours = [STREAM_FOREVER];
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.world.drainFor(1000);
      const { deployments } = this.world.runQueue;
      const ids = new Set(deployments.slice(this.taken).map(({ deployment }) => deployment));
      this.taken = deployments.length;
      for (const id of ids) await advanceDeployment(id, this.world.dispatch, this.world.clock.now() + 60_000);
    }
  }

  get deployment(): DeploymentRecord {
    const [record] = this.world.deployments.records;
    if (record === undefined) throw new Error('no deployment');
    return record;
  }

  get runs(): readonly RunRecord[] {
    return this.world.ledger.records;
  }
}

it.each([
  ['savepoint', SAVEPOINTS],
  ['last-state', CHECKPOINTS],
])(
  'a stream is created, upgraded by %s, suspended and resumed, each run from what the last one left',
  async (mode, place) => {
    const whole = new Whole();
    const job = (text: string, more = {}) => stream({}, { upgradeMode: mode, args: [text], ...more });
    const { world } = whole;
    await world.request(job('one'));
    await whole.pass(15);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 1 });
    const checkpoint = (): void => {
      const running = whole.runs.find(({ state }) => state === 'running');
      world.flink.streams.checkpoint(running?.attempts.at(-1)?.clusterId ?? '', CHECKPOINTS);
    };
    checkpoint();
    await world.request(job('two'));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
    checkpoint();
    await world.request(job('two', { state: 'suspended' }));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'suspended', reached: 3 });
    expect(whole.runs.every(({ state }) => state === 'closed')).toBe(true);
    await world.request(job('three'));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 4, runs: 3 });
    const [first, second, third] = whole.runs;
    expect(first?.attempts[0]?.restoredFrom).toBeUndefined();
    for (const [before, after] of [
      [first, second],
      [second, third],
    ]) {
      const left = before?.attempts.at(-1)?.snapshot;
      expect(left?.path.startsWith(place)).toBe(true);
      expect(after?.attempts[0]?.restoredFrom).toEqual(left);
    }
    expect(third?.job?.args).toEqual(['three']);
  },
);
