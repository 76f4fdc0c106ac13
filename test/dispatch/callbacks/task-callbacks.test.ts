import { describe, expect, it } from 'vitest';
import { accept, type Accepted } from '../../../lib/dispatch/accept.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { openCallbacks } from '../../../lib/run/callbacks.ts';
import { jobMessage, World } from '../world/simulated.ts';

const configWith = (allow: string) =>
  parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
allow: { ${allow} }
`);
const ALLOWED = configWith('taskTokens: true');

class Tasks extends World {
  begin(taskToken: string, spec: object = {}, key = 'today', deployment = ALLOWED): Promise<Accepted> {
    this.tasks.begin(taskToken);
    const deps = { ...this.accept, prepare: { ...this.accept.prepare, deployment } };
    return accept({ ...jobMessage({ ...spec }, key), taskToken }, deps);
  }

  get told(): readonly string[] {
    return this.tasks.answers.map(({ taskToken, told }) => `${taskToken} ${told}`);
  }
}

describe('a task that waits for a run', () => {
  it('is told of its end, and no token is left on record', async () => {
    const world = new Tasks();
    const { runId } = await world.begin('a token');
    await world.drain();
    expect(world.told).toEqual(['a token succeeded']);
    expect(world.record(runId).state).toBe('closed');
    expect(JSON.stringify(world.record(runId))).not.toContain('a token');
    expect(world.logged.join('\n')).not.toContain('a token');
  });

  it('is told with a later one of the same request, also when the run is closed', async () => {
    const world = new Tasks();
    await world.begin('first');
    expect((await world.begin('second')).result).toBe('duplicate');
    await world.drain();
    expect(world.told).toEqual(['first succeeded', 'second succeeded']);
    const { runId } = await world.begin('third');
    expect(world.told.at(-1)).toBe('third succeeded');
    expect(openCallbacks(world.record(runId))).toEqual([]);
  });

  it('is told why its request was rejected', async () => {
    const world = new Tasks();
    await world.begin('bad', { image: 'other:1' });
    await world.begin('endless', { job: { jarURI: 'local:///a.jar', entryClass: 'a.B', kind: 'streaming' } }, 'other');
    await world.drain();
    expect(world.told).toEqual(['bad NotAllowed', 'endless InvalidSpec']);
  });

  it('is not known where the deployment does not allow it', async () => {
    const world = new Tasks();
    const { runId, result } = await world.begin('a token', {}, 'today', configWith(''));
    await world.drain();
    expect(result).toBe('rejected');
    expect(world.record(runId).outcome).toMatchObject({ reason: 'NotAllowed', field: 'taskToken' });
    expect(world.told).toEqual([]);
    expect(world.record(runId).callbacks).toBeUndefined();
  });

  it('holds up nothing but the place of its run, and becomes a dead letter', async () => {
    const world = new Tasks();
    const { runId } = await world.begin('a token', { concurrency: { key: 'k', policy: 'queue' } });
    world.plans.strike(/task answer/, 'refused', Infinity);
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { state: 'succeeded' } });
    const { updatedAt, outcome } = world.record(runId);
    expect(updatedAt - (outcome?.at ?? 0)).toBeGreaterThanOrEqual(15 * 60_000);
    expect(world.deadLetters).toMatchObject([{ reason: 'CallbackLost' }]);
    expect(JSON.stringify(world.deadLetters)).not.toContain('a token');
  });
});
