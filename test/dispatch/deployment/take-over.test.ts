import { describe, expect, it } from 'vitest';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import type { Program } from '../../prove/servers/flink.ts';
import { DeploymentsWorld, endsAfter, stream } from '../world/deployments-world.ts';
import { CHECKPOINTS, DIRECTORIES, type Fate } from '../world/streams-world.ts';

const SECOND = 1000;
/** As Flink says how it runs the job. */
const PERIODIC: Partial<Program> = { checkpointInterval: 10_000 };
const TAKES_NO_CHECKPOINTS: Partial<Program> = { checkpointInterval: Infinity };
const AUTOMATIC = { ...DIRECTORIES, 'execution.runtime-mode': 'AUTOMATIC' };

interface Said {
  readonly job?: Record<string, unknown>;
  readonly options?: Record<string, string>;
  readonly more?: Record<string, unknown>;
}

let uploads = 0;

/** A version of the program, of which nothing says that it is a stream. */
function upload(version: number, { job = {}, options = DIRECTORIES, more = {} }: Said = {}): RunRequest {
  uploads += 1;
  return {
    source: {
      ...({ kind: 'jar-upload', bucket: 'jars', key: 'job.jar', eventTime: 0 } as const),
      sequencer: `0055AED6DCD9${String(version).padStart(6, '0')}`,
    },
    identity: `upload ${version} of test ${uploads}`,
    spec: {
      name: 'orders',
      flinkConfiguration: options,
      ...more,
      job: { entryClass: 'a.B', args: [`v${version}`], ...job },
    },
  };
}

/** Its first version runs, as Flink says. */
async function running(fate: Fate = PERIODIC, said: Said = {}): Promise<DeploymentsWorld> {
  const world = new DeploymentsWorld(() => fate);
  await world.request(upload(1, said));
  await world.pass(15 * SECOND);
  expect(states(world)).toEqual(['running']);
  expect(hasDeployment(world)).toBe(false);
  return world;
}

const states = ({ records }: DeploymentsWorld) => records.map(({ state }) => state);
const hasDeployment = ({ deployments }: DeploymentsWorld) => deployments.invariants.records.size > 0;

describe('the next upload of a program that Flink runs as a stream', () => {
  it('takes the place of the run that goes on, with its state', async () => {
    const world = await running();
    expect(world.records[0]?.job?.notes?.[0]).toMatch(
      /^Flink runs it as a stream, and it may have no end: the next version takes/,
    );
    expect(await world.request(upload(2))).toMatchObject({ result: 'accepted', deployment: { generation: 2 } });
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 2, reached: 2, runs: 2, guessed: true });
    const [first, second] = world.records;
    expect(first).toMatchObject({
      ...{ state: 'closed', deployment: { generation: 1 }, job: { kind: 'batch', args: ['v1'] } },
      outcome: { state: 'succeeded', reason: 'StoppedWithSavepoint' },
    });
    expect(second?.attempts[0]?.restoredFrom).toMatchObject({ kind: 'savepoint', run: first?.runId });
    expect(second?.attempts[0]?.restoredFrom).toEqual(first?.attempts[0]?.snapshot);
    const told = world.deployed.events.map(({ type, generation }) => `${type} ${generation}`);
    expect(told.slice(0, 5)).toEqual(['accepted 1', 'accepted 2', 'started 1', 'upgrading 2', 'snapshot 1']);
    expect(world.deployed.events[2]?.message).toContain('which Flink runs as a stream');
  });

  it('and those after it are versions of the same deployment', async () => {
    const world = await running();
    for (const version of [2, 3]) {
      await world.request(upload(version));
      await world.pass(40 * SECOND);
    }
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3, runs: 3 });
    expect(states(world)).toEqual(['closed', 'closed', 'running']);
    expect(world.records[2]?.attempts[0]?.restoredFrom).toEqual(world.records[1]?.attempts[0]?.snapshot);
  });

  it('is the same, however often its event comes', async () => {
    const world = await running();
    const second = upload(2);
    await world.request(second);
    expect(await world.request(second)).toMatchObject({ result: 'duplicate' });
    await world.pass(40 * SECOND);
    expect(await world.request(second)).toMatchObject({ result: 'duplicate' });
    expect(states(world)).toEqual(['closed', 'running']);
  });

  it('corrects a spec that says batch, where Flink itself chose to run it as a stream', async () => {
    const said = { job: { kind: 'batch' }, options: AUTOMATIC };
    const world = await running(TAKES_NO_CHECKPOINTS, said);
    expect(world.records[0]?.job?.notes?.[0]).toMatch(/has a source without an end/);
    await world.request(upload(2, said));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.deployed).not.toHaveProperty('guessed');
    expect(world.records.map(({ job }) => job?.kind)).toEqual(['streaming', 'streaming']);
    expect(world.records[1]?.job?.notes).toContain(
      'job.kind batch has no effect: the uploads of this key are versions of one stream',
    );
    await world.request(upload(3, said));
    await world.pass(40 * SECOND);
    expect(states(world)).toEqual(['closed', 'closed', 'running']);
  });

  it('takes its place with empty state where stateless is what is said', async () => {
    const world = await running(PERIODIC, { options: {} });
    await world.request(upload(2, { options: {}, job: { upgradeMode: 'stateless' } }));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.records[0]?.outcome?.state).toBe('canceled');
    expect(world.records[1]?.attempts[0]).not.toHaveProperty('restoredFrom');
  });

  it('begins anew where the job has finished meanwhile: that it had no end was a guess', async () => {
    const world = await running({ ...PERIODIC, ...endsAfter(15_500, 'FINISHED') });
    const second = upload(2);
    await world.request(second);
    await world.pass(40 * SECOND);
    expect(world.records[0]?.outcome).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    expect(world.records[1]?.attempts[0]).not.toHaveProperty('restoredFrom');
    expect(world.deployed).toMatchObject({ state: 'finished', runs: 2 });
    expect(await world.request(second)).toMatchObject({ result: 'duplicate' });
    await world.request(upload(3));
    await world.pass(10 * SECOND);
    expect(world.records[2]).not.toHaveProperty('deployment');
  });
});

describe('a stream that is said', () => {
  it('takes the place of the run that was none yet', async () => {
    const world = await running(TAKES_NO_CHECKPOINTS);
    await world.request(upload(2, { job: { kind: 'streaming' } }));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.records.map(({ job }) => job?.kind)).toEqual(['streaming', 'streaming']);
    expect(world.records[1]?.attempts[0]?.restoredFrom).toEqual(world.records[0]?.attempts[0]?.snapshot);
  });

  it('is its next version, whatever asks for it', async () => {
    const world = await running();
    await world.request(stream());
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ reached: 2, runs: 2 });
    expect(states(world)).toEqual(['closed', 'running']);
  });

  it('is refused where the run could not keep its state, or there are two', async () => {
    const said = { options: { 'execution.checkpointing.dir': CHECKPOINTS } };
    const world = await running(PERIODIC, said);
    await world.request(upload(2, { job: { kind: 'streaming' } }));
    const [first, refused] = world.records;
    expect(refused?.outcome).toMatchObject({ state: 'rejected', reason: 'InvalidSpec', field: 'job.kind' });
    expect(refused?.outcome?.message).toMatch(/no directory for a savepoint.* First flink-dispatch runs cancel/);
    expect(refused?.outcome?.message).toContain(first?.runId);
    await world.request(upload(3, said));
    await world.pass(15 * SECOND);
    await world.request(upload(4, { job: { kind: 'streaming' } }));
    expect(world.records.at(-1)?.outcome?.message).toMatch(
      /^runs \w+, \w+ go on as orders.*only one can be its first run/,
    );
  });
});

describe('the next upload runs beside', () => {
  const streaming = { ...DIRECTORIES, 'execution.runtime-mode': 'STREAMING' };

  it.each<readonly [string, Fate, Said]>([
    ['what has an end', { batchMode: true }, {}],
    ['what takes no checkpoints', TAKES_NO_CHECKPOINTS, {}],
    ['what is said to be batch', PERIODIC, { job: { kind: 'batch' } }],
    ['what is said to run in streaming mode', PERIODIC, { options: streaming }],
    ['what has a concurrency of its own', PERIODIC, { more: { concurrency: { key: 'k', policy: 'allow' } } }],
  ])('%s', async (_, fate, said) => {
    const world = await running(fate, said);
    await world.request(upload(2, said));
    await world.pass(15 * SECOND);
    expect(states(world)).toEqual(['running', 'running']);
    expect(hasDeployment(world)).toBe(false);
    expect(world.records[1]?.job?.notes ?? []).not.toContainEqual(expect.stringMatching(/beside it, and/));
  });

  it('what has no place for its state, and says so', async () => {
    const said = { options: { 'execution.checkpointing.dir': CHECKPOINTS } };
    const world = await running(PERIODIC, said);
    expect(world.records[0]?.job?.notes?.[0]).toMatch(/the next version runs beside it; job.kind: streaming/);
    await world.request(upload(2, said));
    await world.pass(15 * SECOND);
    expect(states(world)).toEqual(['running', 'running']);
    expect(world.records[1]?.job?.notes?.[0]).toMatch(
      /^run \w+ of this key goes on beside it.*say job.kind: streaming/,
    );
  });

  it('what another key is the program of, as do messages', async () => {
    const world = await running();
    const other = upload(2);
    if (other.source.kind === 'jar-upload') {
      await world.request({ ...other, source: { ...other.source, bucket: 'others' } });
    }
    await world.request(stream({}, { kind: 'batch' }));
    await world.pass(15 * SECOND);
    expect(hasDeployment(world)).toBe(false);
  });
});
