import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { figuresIn } from '../../../lib/flink/rest/figures.ts';
import { createJobHistory } from '../../../lib/flink/rest/history.ts';
import type { RestTransport } from '../../../lib/flink/rest/transport.ts';
import { recordedTransport } from './recorded.ts';

const ID = '0123456789abcdef0123456789abcdef';
const [SOURCE, SINK] = ['a'.repeat(32), 'b'.repeat(32)];
const IO = { 'read-bytes': 1, 'write-bytes': 2, 'read-records': 3, 'write-records': 4 };
const TIME = { 'accumulated-busy-time': 5.4, 'accumulated-idle-time': 6, 'accumulated-backpressured-time': 7 };

/** A job of a source that measures no time, and a sink. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/jobs/overview': { jobs: [{ jid: ID }, { jid: 'another' }] },
  [`/jobs/${ID}`]: {
    jid: ID,
    name: 'orders',
    vertices: [
      { id: SOURCE, name: 'Source', parallelism: 1, metrics: { ...IO, ...TIME, 'accumulated-busy-time': 'NaN' } },
      { id: SINK, name: 'Sink', parallelism: 2, metrics: { ...IO, ...TIME } },
    ],
    plan: { nodes: [{ id: SINK, inputs: [{ id: SOURCE, num: 0, ship_strategy: 'HASH' }] }, { id: SOURCE }] },
  },
  [`/jobs/${ID}/metrics`]: [{ id: 'numRestarts', value: '2' }],
  [`/jobs/${ID}/checkpoints`]: {
    counts: { completed: 7, failed: 1 },
    latest: {
      completed: {
        id: 7,
        latest_ack_timestamp: 900,
        end_to_end_duration: 30,
        state_size: 1_000,
        checkpointed_size: 10,
      },
    },
    history: [{ id: 7 }, { id: '../8' }],
  },
  '/taskmanagers/metrics': [
    { id: 'Status.JVM.Memory.Heap.Used', max: 10 },
    { id: 'Status.JVM.Memory.Heap.Max', max: 100 },
  ],
  [`/jobs/${ID}/vertices/${SINK}/watermarks`]: [
    { id: '0.currentInputWatermark', value: '800' },
    { id: '1.currentInputWatermark', value: '700' },
  ],
};

function answering(answers: Readonly<Record<string, unknown>>, silent: RegExp = /^$/) {
  const asked: string[] = [];
  const transport: RestTransport = ({ path, timeout }) => {
    asked.push(path);
    expect(timeout).toBeLessThanOrEqual(3_000);
    if (silent.test(path)) return Promise.reject(new DispatchError('RestUnreachable', 'no answer'));
    const body = answers[path];
    if (body === undefined) return Promise.resolve({ status: 404, body: { errors: ['not found'] } });
    return Promise.resolve({ status: 200, body });
  };
  return { asked, history: createJobHistory(transport) };
}

describe('figures of a job', () => {
  it('are its graph, its counts, and what else its JobManager tells', async () => {
    const { history } = answering(ANSWERS);
    const counts = { bytesIn: 1, bytesOut: 2, recordsIn: 3, recordsOut: 4, idle: 6, backPressured: 7 };
    expect(await history.figures(ID, 'streaming')).toEqual({
      job: {
        id: ID,
        name: 'orders',
        vertices: [
          { id: SOURCE, name: 'Source', parallelism: 1, inputs: [] },
          { id: SINK, name: 'Sink', parallelism: 2, inputs: [{ id: SOURCE, ship: 'HASH' }] },
        ],
      },
      counts: [counts, { ...counts, busy: 5, watermark: 700 }],
      checkpoint: { id: 7, at: 900, duration: 30, bytes: 1_000, written: 10 },
      checkpoints: { completed: 7, failed: 1 },
      heap: { used: 10, max: 100 },
      restarts: 2,
    });
  });

  it('take three requests of a batch job, and one more for each end of a stream, up to three', async () => {
    const batch = answering(ANSWERS);
    await batch.history.figures(ID, 'batch');
    expect(batch.asked).toHaveLength(3);
    const vertices = Array.from({ length: 60 }, (_, n) => ({ id: String(n), name: 'v', parallelism: 1, metrics: IO }));
    const nodes = vertices.map(({ id }) => ({ id, inputs: [{ id: '0' }] }));
    const wide = answering({ ...ANSWERS, [`/jobs/${ID}`]: { jid: ID, name: 'wide', vertices, plan: { nodes } } });
    const { counts } = await wide.history.figures(ID, 'streaming');
    expect([wide.asked.length, counts.length]).toEqual([7, 50]);
  });

  it('lack what is not told, and no watermark is made of none', async () => {
    const min = '-9223372036854775808';
    const { history } = answering({
      [`/jobs/${ID}`]: ANSWERS[`/jobs/${ID}`],
      [`/jobs/${ID}/vertices/${SINK}/watermarks`]: [{ id: '0.currentInputWatermark', value: min }],
    });
    const figures = await history.figures(ID, 'streaming');
    expect(Object.keys(figures)).toEqual(['job', 'counts']);
    expect(figures.counts[1]?.watermark).toBeUndefined();
  });

  it('are none of a job that is not told of', async () => {
    await expect(answering({}).history.figures(ID, 'batch')).rejects.toMatchObject({ reason: 'JobNotFound' });
    expect(figuresIn(ID, {})).toBeUndefined();
  });

  it.each(['1.20.0', '2.3.0'])('of a JobManager %s are read', async (version) => {
    const figures = await createJobHistory(recordedTransport(version, 'running')).figures(ID, 'streaming');
    expect(figures.job.vertices.map(({ inputs }) => inputs.map(({ ship }) => ship))).toEqual([[], ['HASH']]);
    expect(figures.counts[0]).toEqual({
      ...{ recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0, busy: 0, idle: 0, backPressured: 0 },
    });
  });
});

describe('answers for an archive', () => {
  it('are those that were had, and the rest of what Flink archives', async () => {
    const { history, asked } = answering(ANSWERS);
    const known = { [`/jobs/${ID}/exceptions`]: { root: 'known' } };
    const answers = await history.answers(ID, known);
    expect(answers).toMatchObject(known);
    expect(Object.keys(answers).sort()).toEqual(
      ['/jobs/overview', `/jobs/${ID}`, `/jobs/${ID}/checkpoints`, `/jobs/${ID}/exceptions`].sort(),
    );
    expect(asked).not.toContain(`/jobs/${ID}/exceptions`);
    const [vertex, checkpoint] = [`/jobs/${ID}/vertices/${SINK}/subtasktimes`, `/jobs/${ID}/checkpoints/details/7`];
    expect(asked).toEqual(expect.arrayContaining([vertex, checkpoint]));
    expect(asked.filter((path) => path.includes('..'))).toEqual([]);
  });

  it('are bounded in number, whatever the graph', async () => {
    const vertices = Array.from({ length: 500 }, (_, n) => ({ id: n.toString(16) }));
    const { history, asked } = answering({ ...ANSWERS, [`/jobs/${ID}`]: { vertices } });
    await history.answers(ID);
    expect(asked.length).toBeLessThanOrEqual(140);
  });

  it('are not waited for at each path when the JobManager hangs', async () => {
    const { history, asked } = answering(ANSWERS, /\/vertices\//);
    await history.answers(ID);
    expect(asked.filter((path) => path.includes('/vertices/')).length).toBeLessThanOrEqual(8);
    await expect(answering(ANSWERS, /overview/).history.answers(ID)).rejects.toThrow('no answer');
  });
});
