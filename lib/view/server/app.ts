import { Hono, type Context } from 'hono';
import { etag } from 'hono/etag';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { describeError, DispatchError, isDispatchError } from '../../core/errors.ts';
import { mapConcurrent } from '../../core/map-concurrent.ts';
import { redactText } from '../../core/redaction/redact.ts';
import type { Reason } from '../../core/reasons.ts';
import { lockOf } from '../../dispatch/lock.ts';
import { parseFilter } from '../../operate/filter.ts';
import type { Attempt, RunRecord } from '../../run/record.ts';
import { seriesOf } from '../../run/samples/series.ts';
import { ABORT_DECISION_FILE, DECISION_FILE } from '../../verdict/decision-evidence.ts';
import { viewQueues } from '../queue-view.ts';
import { reportOf } from '../report/report.ts';
import { replayDocument, replayOf } from '../replay.ts';
import { viewRun } from '../run-view.ts';
import { streamRow, viewStream } from '../stream-view.ts';
import { isToken, ownPagesOnly, safeHeaders, TOKEN_HEADER } from './guard.ts';
import type { PageFiles, ViewPorts } from './ports.ts';

/** Runs whose places in lines are looked up for one answer. */
const MOST_WAITING = 100;
const READS_AT_ONCE = 8;
/** Addresses of screens: the page reads from them what it shows. */
const SCREENS = ['/', '/runs', '/runs/:run', '/streams', '/streams/:stream', '/queues', '/schedules', '/targets'];

/** The page and what it reads, as a function from a Request to a Response: whoever hosts it speaks HTTP. */
export function createApp(ports: ViewPorts, page: PageFiles): Hono {
  const app = new Hono();
  app.use(safeHeaders, ownPagesOnly, async (context, next) => {
    await next();
    context.header('cache-control', 'no-cache');
  });
  app.onError((error, context) => answerError(error, context));
  app.notFound((context) => context.json({ reason: 'NotFound', message: 'there is nothing at this address' }, 404));
  for (const path of SCREENS) app.get(path, (context) => context.html(page.html));
  app.get('/page.js', (context) =>
    context.body(page.script, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  app.get('/page.css', (context) => context.body(page.style, 200, { 'content-type': 'text/css; charset=utf-8' }));
  app.use('/api/*', etag());
  routeRuns(app, ports);
  routeRest(app, ports);
  routeActions(app, ports);
  return app;
}

function routeRuns(app: Hono, ports: ViewPorts): void {
  app.get('/api/runs', async (context) => {
    const { state, reason, name, tenant, trigger, since, limit } = filled(context.req.query());
    const wish = parseFilter({ state, reason, name, tenant, trigger, since, limit }, ports.clock.now());
    return context.json({ rows: await ports.rows(wish) });
  });
  app.get('/api/runs/:run', async (context) =>
    context.json(viewRun(await ports.run(context.req.param('run')), ports.ledger)),
  );
  app.get('/api/runs/:run/report.html', async (context) => {
    const run = await ports.run(context.req.param('run'));
    // To be kept: shown here, its own style would be refused.
    const headers = { 'content-disposition': `attachment; filename="${run.runId}.html"` };
    return context.html(reportOf(run, ports.ledger), 200, headers);
  });
  app.get('/api/runs/:run/attempts/:attempt/decisions', async (context) => {
    const { run, attempt } = await attemptAt(context, ports);
    const files = [ABORT_DECISION_FILE, DECISION_FILE].filter((file) => attempt.artifacts?.includes(file));
    const texts = await Promise.all(files.map((file) => ports.evidence(run.runId, attempt.number, file)));
    const decisions = texts.flatMap((text, index) => (text === undefined ? [] : [replayOf(files[index] ?? '', text)]));
    return context.json({ decisions: decisions.map(replayDocument) });
  });
  app.get('/api/runs/:run/attempts/:attempt/samples', async (context) => {
    const { run, attempt } = await attemptAt(context, ports);
    return context.json({ series: seriesOf(await ports.samples(run.runId, attempt.number)) ?? null });
  });
  app.get('/api/runs/:run/attempts/:attempt/files/:name{.+}', async (context) => {
    const { run, attempt } = await attemptAt(context, ports);
    const name = attempt.artifacts?.find((one) => one === context.req.param('name'));
    const text = name === undefined ? undefined : await ports.evidence(run.runId, attempt.number, name);
    if (text === undefined) throw new DispatchError('RunNotFound', 'no such file was kept of this attempt');
    // Whatever it is, a browser shows it as text.
    return context.body(text, 200, { 'content-type': 'text/plain; charset=utf-8' });
  });
}

async function attemptAt(context: Context, ports: ViewPorts): Promise<{ run: RunRecord; attempt: Attempt }> {
  const run = await ports.run(context.req.param('run') ?? '');
  const number = context.req.param('attempt') ?? '';
  const attempt = run.attempts.find((one) => String(one.number) === number);
  if (attempt === undefined) throw new DispatchError('RunNotFound', `run ${run.runId} has no attempt '${number}'`);
  return { run, attempt };
}

function routeRest(app: Hono, ports: ViewPorts): void {
  app.get('/api/about', (context) => {
    const has = (part: 'actions' | 'targets' | 'schedules'): boolean => ports[part] !== undefined;
    const may = { act: has('actions'), targets: has('targets'), schedules: has('schedules') };
    return context.json({ ledger: ports.ledger, may });
  });
  app.get('/api/streams', async (context) => {
    const rows = (await ports.streams()).map(streamRow).sort((a, b) => (a.name < b.name ? -1 : 1));
    return context.json({ rows });
  });
  app.get('/api/streams/:stream', async (context) =>
    context.json(viewStream(await ports.stream(context.req.param('stream')))),
  );
  app.get('/api/queues', async (context) => {
    const rows = await ports.rows({ limit: MOST_WAITING, matches: ({ state }) => state === 'waiting' });
    const waiters = await mapConcurrent(rows, READS_AT_ONCE, async ({ runId }) => {
      const run = await ports.run(runId);
      const name = lockOf(run);
      return name === undefined ? { run } : { run, line: await ports.lock(name) };
    });
    return context.json({ queues: viewQueues(waiters) });
  });
  app.get('/api/targets', async (context) => context.json({ checks: (await ports.targets?.()) ?? [] }));
  app.get('/api/schedules', async (context) => context.json({ schedules: (await ports.schedules?.()) ?? [] }));
}

function routeActions(app: Hono, ports: ViewPorts): void {
  const { actions } = ports;
  app.post('/api/runs/:run/cancel', async (context) => {
    if (actions === undefined) {
      throw new DispatchError('NotAllowed', 'this page is read-only: start the dashboard with --allow-actions');
    }
    if (!isToken(context.req.header(TOKEN_HEADER), actions.token)) {
      const message = 'a write needs the token of the address that the dashboard printed';
      return context.json({ reason: 'NotAllowed', message }, 401);
    }
    const { runId } = await ports.run(context.req.param('run'));
    return context.json(await actions.cancel(runId));
  });
}

/** A field that was left empty chooses nothing. */
function filled(query: Record<string, string>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

const STATUS: Readonly<Partial<Record<Reason, ContentfulStatusCode>>> = {
  RunNotFound: 404,
  MalformedRequest: 400,
  InvalidSpec: 400,
  NotAllowed: 403,
  StorageUnavailable: 503,
};

function answerError(error: unknown, context: Context): Response {
  if (!isDispatchError(error))
    return context.json({ reason: 'Failed', message: redactText(describeError(error)) }, 502);
  const { reason, message, field, todo } = error;
  return context.json({ reason, message: redactText(message), field, todo }, STATUS[reason] ?? 500);
}
