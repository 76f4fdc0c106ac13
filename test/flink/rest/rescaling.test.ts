import { expect, it } from 'vitest';
import { createRescaling } from '../../../lib/flink/rest/rescaling.ts';
import type { RestRequest } from '../../../lib/flink/rest/transport.ts';

const JOB = 'ab'.repeat(16);
const VERTEX = 'cd'.repeat(16);

/** As Flink 1.20.0 and 2.3.0 answer. */
function answering(
  body: unknown,
  status = 200,
): {
  readonly asked: RestRequest[];
  readonly rescaling: ReturnType<typeof createRescaling>;
} {
  const asked: RestRequest[] = [];
  const rescaling = createRescaling((request) => {
    asked.push(request);
    return Promise.resolve({ status, body });
  });
  return { asked, rescaling };
}

it('reads between which numbers of subtasks the scheduler may choose', async () => {
  const { rescaling, asked } = answering({ [VERTEX]: { parallelism: { lowerBound: 1, upperBound: 2 } } });
  await expect(rescaling.requirements(JOB)).resolves.toEqual({ [VERTEX]: { lowerBound: 1, upperBound: 2 } });
  expect(asked).toEqual([{ method: 'GET', path: `/jobs/${JOB}/resource-requirements` }]);
});

it('asks for others', async () => {
  const { rescaling, asked } = answering({});
  await rescaling.require(JOB, { [VERTEX]: { lowerBound: 1, upperBound: 4 } });
  const body = { [VERTEX]: { parallelism: { lowerBound: 1, upperBound: 4 } } };
  expect(asked).toEqual([{ method: 'PUT', path: `/jobs/${JOB}/resource-requirements`, body }]);
});

it('reads how many there are', async () => {
  const vertex = { id: VERTEX, slotSharingGroupId: 'x', name: 'Map', maxParallelism: 128, parallelism: 2 };
  const both = { ...vertex, tasks: { CREATED: 0, RUNNING: 1, FINISHED: 1, SCHEDULED: 0 } };
  const one = { ...vertex, tasks: { RUNNING: 1, SCHEDULED: 1 } };
  const { rescaling } = answering({ jid: JOB, state: 'RUNNING', vertices: [both, one] });
  const facts = { id: VERTEX, name: 'Map', parallelism: 2, maxParallelism: 128 };
  await expect(rescaling.vertices(JOB)).resolves.toEqual([
    { ...facts, allRun: true },
    { ...facts, allRun: false },
  ]);
});

it('takes the answer to who asked a moment later for none', async () => {
  const refused = (words: string) => answering({ errors: [words] }, 409).rescaling.require(JOB, {});
  const another = 'Another update to the job [%s] resource requirements is in progress.';
  await expect(refused(another)).rejects.toMatchObject({ reason: 'RestUnreachable' });
  await expect(refused('The job is not adaptive.')).rejects.toMatchObject({ reason: 'FlinkRefused' });
});

it('reads how much a vertex has to do', async () => {
  const busy = { id: 'busyTimeMsPerSecond', avg: 830.5 };
  const { rescaling, asked } = answering([busy, { id: 'backPressuredTimeMsPerSecond', avg: 20 }]);
  await expect(rescaling.load(JOB, VERTEX)).resolves.toEqual({ busy: 0.8305, backPressured: 0.02 });
  const query = { get: 'busyTimeMsPerSecond,backPressuredTimeMsPerSecond', agg: 'avg' };
  expect(asked).toEqual([{ method: 'GET', path: `/jobs/${JOB}/vertices/${VERTEX}/subtasks/metrics`, query }]);
});

it.each([
  [[]],
  [
    [
      { id: 'busyTimeMsPerSecond', avg: 'NaN' },
      { id: 'backPressuredTimeMsPerSecond', avg: 0 },
    ],
  ],
])('takes what is not measured for no measure: %j', async (metrics) => {
  await expect(answering(metrics).rescaling.load(JOB, VERTEX)).resolves.toBeUndefined();
});
