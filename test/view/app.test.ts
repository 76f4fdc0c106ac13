import { beforeAll, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import type { RunRow } from '../../lib/run/row.ts';
import { rowOf, rowText } from '../../lib/run/row.ts';
import type { SampleSeries } from '../../lib/run/samples/series.ts';
import { createS3SampleStore } from '../../lib/run/store/history/s3-sample-store.ts';
import type { QueueView } from '../../lib/view/queue-view.ts';
import type { RunView } from '../../lib/view/run-view.ts';
import { FakeS3 } from '../fakes/s3.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { appOn, get } from './app-on.ts';
import { sampleAt, SINK } from '../run/samples/sample.ts';
import { HOSTILE, shownLedger, storeLog, type Shown } from './ledger-of.ts';

let shown: Shown;
beforeAll(async () => {
  shown = await shownLedger();
  storeLog(shown, shown.failed, 'orders.log', `${HOSTILE}\nline 2`);
}, 120_000);

const read = async <T>(path: string): Promise<T> => (await get(appOn(shown.s3), path)).json() as Promise<T>;

describe('runs', () => {
  it('are listed as they are, and chosen by what the address says', async () => {
    const all = await read<{ rows: RunRow[] }>('/api/runs');
    expect(all.rows.map(({ name, state }) => [name, state])).toEqual([
      ['totals', 'waiting'],
      ['totals', 'running'],
      ['orders-import', 'failed'],
      ['word-count', 'succeeded'],
    ]);
    const some = await read<{ rows: RunRow[] }>('/api/runs?state=ended&name=*-count&reason=');
    expect(some.rows.map(({ name }) => name)).toEqual(['word-count']);
  });

  it('a wrong filter names the field and the fix', async () => {
    const answer = await get(appOn(shown.s3), '/api/runs?state=faild');
    expect(answer.status).toBe(400);
    const { field, message } = (await answer.json()) as { field: string; message: string };
    expect([field, message]).toEqual(['state', "state 'faild' is none: did you mean 'failed'?"]);
  });

  it('of 10,000 take at most 5 requests of S3', async () => {
    const s3 = new FakeS3();
    const sample = sampleRecord({ state: 'closed' });
    const texts = Array.from({ length: 10_000 }, (_, n) => {
      const run = { ...sample, runId: runIdFor(String(n)), createdAt: sample.createdAt + n * 1000 };
      return rowText(rowOf(run));
    });
    texts.sort();
    for (const row of texts.splice(0, 500)) s3.store(`ledger/index/rows/${row}`, '');
    s3.store('ledger/index/older/99999999', texts.join('\n'));
    const cases = { '': 50, '?state=failed': 50, '?name=nothing': 0, '?limit=10000': 10_000 };
    for (const [query, count] of Object.entries(cases)) {
      s3.asked.length = 0;
      const { rows } = (await (await get(appOn(s3), `/api/runs${query}`)).json()) as { rows: RunRow[] };
      expect(rows.length, query).toBe(count);
      expect(s3.asked.length, query).toBeLessThanOrEqual(5);
    }
  });
});

describe('a run', () => {
  it('that failed says why, what that rests on, and what to do', async () => {
    const view = await read<RunView>(`/api/runs/${shown.failed}`);
    expect(view.row).toMatchObject({ state: 'failed', attempts: 2 });
    expect(view.cause).toMatchObject({ reason: 'JobFailed', rule: 'application-ended', todo: 'See rootException.' });
    expect(view.cause?.rootException).toContain(HOSTILE);
    expect(view.attempts.map(({ number, hasDecision }) => [number, hasDecision])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(view.steps.map(({ kind, attempt }) => `${kind} ${attempt ?? ''}`.trim())).toEqual([
      ...['accepted', 'creating 1', 'starting 1', 'removing 1', 'waiting'],
      ...['creating 2', 'starting 2', 'running 2', 'removing 2'],
    ]);
    expect(view.events.map(({ data }) => data.state)).toEqual(['accepted', 'attempt-failed', 'started', 'failed']);
    expect(view.commands).toContain(`flink-dispatch runs explain ${shown.failed}`);
    expect(view.isOver).toBe(true);
    expect(view.orders.map(({ kind, command }) => [kind, command])).toEqual([
      ['rerun', `flink-dispatch runs rerun ${shown.failed}`],
      ['replay', `flink-dispatch runs replay ${shown.failed}`],
    ]);
  });

  it('has no gap in its time', async () => {
    for (const id of [shown.failed, shown.succeeded, shown.running, shown.waiting]) {
      const { steps, row } = await read<RunView>(`/api/runs/${id}`);
      expect(steps[0]?.from).toBe(row.acceptedAt);
      for (const [index, { to }] of steps.slice(0, -1).entries()) expect(to).toBe(steps[index + 1]?.from);
    }
  });

  it('is taken again by the rules, row by row', async () => {
    const { decisions } = await read<{ decisions: { agrees: boolean; rows: unknown[] }[] }>(
      `/api/runs/${shown.failed}/attempts/2/decisions`,
    );
    expect(decisions).toMatchObject([{ agrees: true, table: 'APPLICATION_RULES' }]);
    expect(decisions[0]?.rows).toContainEqual(
      expect.objectContaining({ result: 'decided', rule: 'application-ended' }),
    );
  });

  it('has what was sampled of its job, as what is drawn', async () => {
    const { bucket } = shown.s3;
    const path = `/api/runs/${shown.failed}/attempts/1/samples`;
    expect(await read<{ series: null }>(path)).toEqual({ series: null });
    const samples = [sampleAt(10_000), sampleAt(20_000, { records: 50 })];
    const store = createS3SampleStore(bucket);
    for (const [index, sample] of samples.entries())
      await store.keep({ runId: shown.failed, attempt: 1, number: index + 1 }, sample);
    const { series } = await read<{ series: SampleSeries }>(path);
    expect(series.job.vertices.map(({ name }) => name)).toEqual(['Source', 'Sink']);
    expect(series.points.map(({ at, vertices }) => [at, vertices[SINK]?.recordsIn])).toEqual([
      [10_000, undefined],
      [20_000, 5],
    ]);
  });

  it('is found by the beginning of its id, and else not', async () => {
    expect((await read<RunView>(`/api/runs/${shown.failed.slice(0, 8)}`)).row.runId).toBe(shown.failed);
    expect((await get(appOn(shown.s3), '/api/runs/00000000000000000000')).status).toBe(404);
    expect((await get(appOn(shown.s3), `/api/runs/${shown.failed}/attempts/9/decisions`)).status).toBe(404);
  });

  it('has its secrets hidden', async () => {
    const s3 = new FakeS3();
    const secret = 'hunter2-hunter2';
    const sample = sampleRecord();
    const options = { ...sample.job?.options, 's3.secret-key': secret };
    const job = sample.job && { ...sample.job, options };
    s3.store(`ledger/runs/${sample.runId}/record.json`, JSON.stringify({ ...sample, job }));
    expect(await (await get(appOn(s3), `/api/runs/${sample.runId}`)).text()).not.toContain(secret);
  });
});

describe('files of an attempt', () => {
  it('are text, whatever they are', async () => {
    const answer = await get(appOn(shown.s3), `/api/runs/${shown.failed}/attempts/2/files/orders.log`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe(`${HOSTILE}\nline 2`);
  });

  it.each(['../../record.json', '..%2f..%2frecord.json', 'other.log', '%2e%2e/2/orders.log'])(
    'are those that the record names: not %s',
    async (name) => {
      const answer = await get(appOn(shown.s3), `/api/runs/${shown.failed}/attempts/2/files/${name}`);
      expect(answer.status).toBe(404);
    },
  );
});

describe('queues', () => {
  it('say who waits, for whom, and in which place', async () => {
    const { queues } = await read<{ queues: QueueView[] }>('/api/queues');
    expect(queues).toMatchObject([
      {
        key: 'totals',
        reason: 'ConcurrencyForbidden',
        holder: shown.running,
        waiting: [{ runId: shown.waiting, place: 1, name: 'totals' }],
      },
    ]);
  });
});

describe('who may ask', () => {
  it.each([
    ['a name of another site, which means 127.0.0.1', { host: 'evil.example:8080' }],
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a page of another local port', { origin: 'http://127.0.0.1:1' }],
    ['an image or a script of another site', { 'sec-fetch-site': 'cross-site' }],
  ])('is not %s', async (_what, headers: Record<string, string>) => {
    const app = appOn(shown.s3);
    for (const path of ['/', '/page.js', '/api/runs']) expect((await get(app, path, headers)).status).toBe(403);
  });

  it.each(['/', '/runs', '/runs/0123', '/streams', '/queues', '/schedules', '/targets'])(
    'gets the page at %s, in which no script or style stands',
    async (path) => {
      const answer = await get(appOn(shown.s3), path);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
    },
  );
});
