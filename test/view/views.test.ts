import { beforeAll, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { createS3Deployments } from '../../lib/deployment/store/s3-deployments.ts';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import { runOfFiring, type Scheduled } from '../../lib/operate/schedule/scheduled.ts';
import type { Attempt } from '../../lib/run/record.ts';
import { rowOf } from '../../lib/run/row.ts';
import { fileBehind } from '../../lib/view/evidence-file.ts';
import type { FieldChange } from '../../lib/view/field-diff.ts';
import { streamOrders } from '../../lib/view/orders.ts';
import type { PodsView } from '../../lib/view/pods-view.ts';
import { ribbonOf } from '../../lib/view/ribbon.ts';
import { viewSchedules } from '../../lib/view/schedule-view.ts';
import { generationChanges } from '../../lib/view/stream-diff.ts';
import type { StreamView } from '../../lib/view/stream-view.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { appOn, get } from './app-on.ts';
import { shownLedger, type Shown } from './ledger-of.ts';
import { storeStream, type ShownStream } from './stream-of.ts';

let shown: Shown;
let stream: ShownStream;
let record: DeploymentRecord;
beforeAll(async () => {
  shown = await shownLedger();
  stream = await storeStream(shown.s3);
  record = (await createS3Deployments(shown.s3.bucket).read(stream.id))?.value as DeploymentRecord;
}, 120_000);

async function read<T>(path: string, more: Parameters<typeof appOn>[1] = {}): Promise<T> {
  const deployments = createS3Deployments(shown.s3.bucket);
  const ports = {
    stream: () => Promise.resolve(record),
    changes: (one: DeploymentRecord, pair: readonly [number, number]) => generationChanges(one, pair, deployments),
    ...more,
  };
  return (await get(appOn(shown.s3, ports), path)).json() as Promise<T>;
}

describe('a stream', () => {
  it('shows its runs one after the other, and what changed from one generation to the next', async () => {
    const view = await read<StreamView>(`/api/streams/${stream.id}`);
    expect(view.ribbon.map(({ id, generation, to }) => [id, generation, to === undefined])).toEqual([
      [stream.runs[0], 1, false],
      [stream.runs[1], 2, true],
    ]);
    expect(view.ribbon[0]?.to).toBeLessThanOrEqual(view.ribbon[1]?.from ?? 0);
    const { changes } = await read<{ changes: FieldChange[] }>(`/api/streams/${stream.id}/changes?from=1&to=2`);
    expect(changes).toEqual([{ field: 'job.args', before: ['--topic', 'orders'], after: ['--topic', 'orders-v2'] }]);
  });

  it.each(['from=1', 'from=1&to=x', 'from=0&to=1', 'from=1.5&to=2'])('has no changes %s', async (query) => {
    expect(await read(`/api/streams/${stream.id}/changes?${query}`)).toMatchObject({ reason: 'MalformedRequest' });
  });

  it('can be asked for what its state allows', () => {
    const kinds = (change: Partial<DeploymentRecord>) => streamOrders({ ...record, ...change }).map(({ kind }) => kind);
    expect(kinds({})).toEqual(['savepoint', 'suspend', 'restart', 'rollback']);
    expect(kinds({ state: 'suspended' })).toContain('resume');
    expect(kinds({ state: 'suspended' })).not.toContain('suspend');
    expect(kinds({ state: 'deleted' })).toEqual([]);
    const [rollback] = streamOrders(record).filter(({ kind }) => kind === 'rollback');
    expect(rollback?.question).toContain('is done again');
    expect(rollback?.command).toBe(`flink-dispatch deployments rollback ${stream.id} --accept-duplicates`);
  });

  it('of which the first events are gone still has its present run', () => {
    const { run, ...gone } = { ...record, events: record.events.slice(-1) };
    expect(ribbonOf({ ...gone, run: run as NonNullable<typeof run> }).map(({ id }) => id)).toContain(run?.id);
    const over = ribbonOf({ ...gone, events: record.events, state: 'suspended' });
    expect(over.every(({ to }) => to !== undefined)).toBe(true);
  });
});

describe('pods of an attempt', () => {
  it('are told as they were seen last', async () => {
    const { pods } = await read<{ pods: PodsView }>(`/api/runs/${shown.failed}/attempts/2/pods`);
    expect(pods.pods.length).toBeGreaterThan(0);
    expect(pods.pods[0]).toMatchObject({ component: 'jobmanager', restarts: 0 });
    expect(pods.pods[0]?.startedAt).toBeGreaterThanOrEqual(pods.pods[0]?.createdAt ?? Infinity);
  });

  it('of one that goes on are not told yet', async () => {
    expect(await read(`/api/runs/${shown.running}/attempts/1/pods`)).toEqual({ pods: null });
  });
});

describe('the file behind a line of evidence', () => {
  const artifacts = [
    'decision.json',
    'kubernetes.json',
    'rest.json',
    'a-1-x.log',
    'a-1-x.previous.log',
    'a-taskmanager-1-1.log',
  ];
  const attempt = { number: 1, artifacts } as unknown as Attempt;

  it.each([
    ['GET /jobs/0123: state FAILED', 'rest.json', undefined],
    ['pod a-taskmanager-1-1: container main terminated, OOMKilled', 'a-taskmanager-1-1.log', undefined],
    ['pod b-1: phase Failed', 'kubernetes.json', undefined],
    ['Deployment/b: ProgressDeadlineExceeded', 'kubernetes.json', undefined],
    ['complete savepoint s3://state/sp/savepoint-1', 'decision.json', undefined],
    ['log: java.lang.OutOfMemoryError: heap', 'a-1-x.log', 'java.lang.OutOfMemoryError: heap'],
    ['JobManager log: job 1 switched to FAILED', 'a-1-x.log', undefined],
  ])('%s', (line, name, find) => {
    expect(fileBehind(line, attempt)).toEqual({ attempt: 1, name, ...(find === undefined ? {} : { find }) });
  });

  it('is the whole decision, or none, where the file was not kept', () => {
    expect(fileBehind('GET /x', { ...attempt, artifacts: ['decision.json'] })).toMatchObject({ name: 'decision.json' });
    expect(fileBehind('GET /x', { ...attempt, artifacts: [] })).toBeUndefined();
  });
});

describe('schedules', () => {
  const HOUR = 3_600_000;
  const now = Date.parse('2026-11-21T06:30:00Z');
  const daily: Scheduled = {
    name: 'nightly',
    arn: 'arn:aws:scheduler:eu-central-1:111122223333:schedule/flink/nightly',
    times: { expression: 'cron(0 * * * ? *)', timeZone: 'UTC' },
    state: 'active',
    createdAt: now - 5 * HOUR,
    input: '{"job":"totals","scheduledTime":"<aws.scheduler.scheduled-time>","timeZone":"UTC"}',
  };
  const rowAt = (at: number, tenant?: string) => ({
    ...rowOf(sampleRecord({ state: 'closed' })),
    runId: runOfFiring(daily, { runJob: 'totals', timeZone: 'UTC' }, at, tenant),
    ...(tenant !== undefined && { tenant }),
  });

  it('say which firings had a run, which were missed, and when they fire next', () => {
    const [first, second] = [now - 4.5 * HOUR, now - 3.5 * HOUR];
    const [view] = viewSchedules([daily], [rowAt(first), rowAt(second, 'payments')], now);
    expect(view).toMatchObject({ name: 'nightly', job: 'totals', missed: 3 });
    expect(view?.firings.map(({ at, run }) => [at, run !== undefined])).toEqual([
      [first, true],
      [second, true],
      [now - 2.5 * HOUR, false],
      [now - 1.5 * HOUR, false],
      [now - 0.5 * HOUR, false],
    ]);
    expect(view?.next).toEqual([now + 0.5 * HOUR, now + 1.5 * HOUR, now + 2.5 * HOUR]);
  });

  it('miss nothing while they are suspended, and a firing has ten minutes to become a run', () => {
    const [suspended] = viewSchedules([{ ...daily, state: 'suspended' }], [], now);
    expect([suspended?.missed, suspended?.next]).toEqual([0, []]);
    const [early] = viewSchedules([{ ...daily, createdAt: now - HOUR }], [], now - 25 * 60_000);
    expect(early).toMatchObject({ missed: 0, firings: [{ missed: false }] });
  });

  it('of others are shown without their firings', () => {
    const foreign = { ...daily, input: '{"x":1}' };
    const broken = { ...daily, times: { expression: 'rate(1 hour)', timeZone: 'UTC' } };
    expect(viewSchedules([foreign, broken], [], now)).toMatchObject([
      { job: '-', firings: [] },
      { job: 'totals', firings: [], next: [] },
    ]);
  });

  it('are read with the runs of a month', async () => {
    const schedules = () => Promise.resolve([daily]);
    const answer = await read<{ schedules: { name: string }[] }>('/api/schedules', { schedules });
    expect(answer.schedules.map(({ name }) => name)).toEqual(['nightly']);
    expect(runIdFor('x')).not.toBe(rowAt(now).runId);
  });
});
