import { describe, expect, it } from 'vitest';
import type { JobRuntime } from '../../../lib/flink/job-manager.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { CHECKPOINTS, SAVEPOINTS, stream } from './stream-world.ts';
import { STREAM_FOREVER, Whole } from './whole.ts';

const DIRECTORIES = {
  'execution.checkpointing.savepoint-dir': SAVEPOINTS,
  'execution.checkpointing.dir': CHECKPOINTS,
};
const PERIODIC = { type: 'STREAMING', checkpointInterval: 10_000 } as const;
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
async function running(runtime: Omit<JobRuntime, 'jobId'> = PERIODIC, said: Said = {}): Promise<Whole> {
  const whole = new Whole();
  whole.world.flink.behaviours = [{ ...STREAM_FOREVER, runtime }];
  await whole.world.request(upload(1, said));
  await whole.pass(15);
  expect(whole.runs.map(({ state }) => state)).toEqual(['running']);
  expect(whole.world.deployments.records).toEqual([]);
  return whole;
}

const states = (whole: Whole) => whole.runs.map(({ state }) => state);

describe('the next upload of a program that Flink runs as a stream', () => {
  it('takes the place of the run that goes on, with its state', async () => {
    const whole = await running();
    expect(whole.runs[0]?.job?.notes?.[0]).toMatch(
      /^Flink runs it as a stream, and it may have no end: the next version takes/,
    );
    expect(await whole.world.request(upload(2))).toMatchObject({ result: 'accepted', deployment: { generation: 2 } });
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', wanted: 2, reached: 2, runs: 2, guessed: true });
    const [first, second] = whole.runs;
    expect(first).toMatchObject({
      ...{ state: 'closed', deployment: { generation: 1 }, job: { kind: 'batch', args: ['v1'] } },
      outcome: { state: 'succeeded', reason: 'StoppedWithSavepoint' },
    });
    expect(second?.attempts[0]?.restoredFrom).toMatchObject({ kind: 'savepoint', run: first?.runId });
    expect(second?.attempts[0]?.restoredFrom).toEqual(first?.attempts[0]?.snapshot);
    const told = whole.deployment.events.map(({ type, generation }) => `${type} ${generation}`);
    expect(told.slice(0, 5)).toEqual(['accepted 1', 'accepted 2', 'started 1', 'upgrading 2', 'snapshot 1']);
    expect(whole.deployment.events[2]?.message).toContain('which Flink runs as a stream');
  });

  it('and those after it are versions of the same deployment', async () => {
    const whole = await running();
    for (const version of [2, 3]) {
      await whole.world.request(upload(version));
      await whole.pass(40);
    }
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 3, runs: 3 });
    expect(states(whole)).toEqual(['closed', 'closed', 'running']);
    expect(whole.runs[2]?.attempts[0]?.restoredFrom).toEqual(whole.runs[1]?.attempts[0]?.snapshot);
  });

  it('is the same, however often its event comes', async () => {
    const whole = await running();
    const second = upload(2);
    await whole.world.request(second);
    expect(await whole.world.request(second)).toMatchObject({ result: 'duplicate' });
    await whole.pass(40);
    expect(await whole.world.request(second)).toMatchObject({ result: 'duplicate' });
    expect(states(whole)).toEqual(['closed', 'running']);
  });

  it('corrects a spec that says batch, where Flink itself chose to run it as a stream', async () => {
    const said = { job: { kind: 'batch' }, options: AUTOMATIC };
    const whole = await running({ type: 'STREAMING' }, said);
    expect(whole.runs[0]?.job?.notes?.[0]).toMatch(/has a source without an end/);
    await whole.world.request(upload(2, said));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(whole.deployment).not.toHaveProperty('guessed');
    expect(whole.runs.map(({ job }) => job?.kind)).toEqual(['streaming', 'streaming']);
    expect(whole.runs[1]?.job?.notes).toContain(
      'job.kind batch has no effect: the uploads of this key are versions of one stream',
    );
    await whole.world.request(upload(3, said));
    await whole.pass(40);
    expect(states(whole)).toEqual(['closed', 'closed', 'running']);
  });

  it('takes its place with empty state where stateless is what is said', async () => {
    const whole = await running(PERIODIC, { options: {} });
    await whole.world.request(upload(2, { options: {}, job: { upgradeMode: 'stateless' } }));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(whole.runs[0]?.outcome?.state).toBe('canceled');
    expect(whole.runs[1]?.attempts[0]).not.toHaveProperty('restoredFrom');
  });

  it('begins anew where the job has finished meanwhile: that it had no end was a guess', async () => {
    const whole = await running();
    whole.world.flink.behaviours = [{ ...STREAM_FOREVER, runtime: PERIODIC, endsAfter: 15_500 }];
    const second = upload(2);
    await whole.world.request(second);
    await whole.pass(40);
    expect(whole.runs[0]?.outcome).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    expect(whole.runs[1]?.attempts[0]).not.toHaveProperty('restoredFrom');
    expect(whole.deployment).toMatchObject({ state: 'finished', runs: 2 });
    expect(await whole.world.request(second)).toMatchObject({ result: 'duplicate' });
    await whole.world.request(upload(3));
    await whole.pass(10);
    expect(whole.runs[2]).not.toHaveProperty('deployment');
  });
});

describe('a stream that is said', () => {
  it('takes the place of the run that was none yet', async () => {
    const whole = await running({ type: 'STREAMING' });
    await whole.world.request(upload(2, { job: { kind: 'streaming' } }));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(whole.runs.map(({ job }) => job?.kind)).toEqual(['streaming', 'streaming']);
    expect(whole.runs[1]?.attempts[0]?.restoredFrom).toEqual(whole.runs[0]?.attempts[0]?.snapshot);
  });

  it('is its next version, whatever asks for it', async () => {
    const whole = await running();
    await whole.world.request(stream());
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ reached: 2, runs: 2 });
    expect(states(whole)).toEqual(['closed', 'running']);
  });

  it('is refused where the run could not keep its state, or there are two', async () => {
    const said = { options: { 'execution.checkpointing.dir': CHECKPOINTS } };
    const whole = await running(PERIODIC, said);
    await whole.world.request(upload(2, { job: { kind: 'streaming' } }));
    const [first, refused] = whole.runs;
    expect(refused?.outcome).toMatchObject({ state: 'rejected', reason: 'InvalidSpec', field: 'job.kind' });
    expect(refused?.outcome?.message).toMatch(/no directory for a savepoint.* First flink-dispatch runs cancel/);
    expect(refused?.outcome?.message).toContain(first?.runId);
    await whole.world.request(upload(3, said));
    await whole.pass(15);
    await whole.world.request(upload(4, { job: { kind: 'streaming' } }));
    expect(whole.runs.at(-1)?.outcome?.message).toMatch(
      /^runs \w+, \w+ go on as orders.*only one can be its first run/,
    );
  });
});

describe('the next upload runs beside', () => {
  const streaming = { ...DIRECTORIES, 'execution.runtime-mode': 'STREAMING' };

  it.each<readonly [string, Omit<JobRuntime, 'jobId'>, Said]>([
    ['what has an end', { type: 'BATCH' }, {}],
    ['what takes no checkpoints', { type: 'STREAMING' }, {}],
    ['what is said to be batch', PERIODIC, { job: { kind: 'batch' } }],
    ['what is said to run in streaming mode', PERIODIC, { options: streaming }],
    ['what has a concurrency of its own', PERIODIC, { more: { concurrency: { key: 'k', policy: 'allow' } } }],
  ])('%s', async (_, runtime, said) => {
    const whole = await running(runtime, said);
    await whole.world.request(upload(2, said));
    await whole.pass(15);
    expect(states(whole)).toEqual(['running', 'running']);
    expect(whole.world.deployments.records).toEqual([]);
    expect(whole.runs[1]?.job?.notes ?? []).not.toContainEqual(expect.stringMatching(/beside it, and/));
  });

  it('what has no place for its state, and says so', async () => {
    const said = { options: { 'execution.checkpointing.dir': CHECKPOINTS } };
    const whole = await running(PERIODIC, said);
    expect(whole.runs[0]?.job?.notes?.[0]).toMatch(/the next version runs beside it; job.kind: streaming/);
    await whole.world.request(upload(2, said));
    await whole.pass(15);
    expect(states(whole)).toEqual(['running', 'running']);
    expect(whole.runs[1]?.job?.notes?.[0]).toMatch(/^run \w+ of this key goes on beside it.*say job.kind: streaming/);
  });

  it('what another key is the program of, as do messages', async () => {
    const whole = await running();
    const other = upload(2);
    if (other.source.kind === 'jar-upload') {
      await whole.world.request({ ...other, source: { ...other.source, bucket: 'others' } });
    }
    await whole.world.request(stream({}, { kind: 'batch' }));
    await whole.pass(15);
    expect(whole.world.deployments.records).toEqual([]);
  });
});
