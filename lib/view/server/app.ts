import { Hono, type Context } from 'hono';
import { etag } from 'hono/etag';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { describeError, DispatchError, isDispatchError } from '../../core/errors.ts';
import { mapConcurrent } from '../../core/map-concurrent.ts';
import { redactText } from '../../core/redaction/redact.ts';
import type { Reason } from '../../core/reasons.ts';
import { lockOf } from '../../dispatch/lock.ts';
import { viewQueues } from '../queue-view.ts';
import { MOST_DAYS, viewSchedules } from '../schedule-view.ts';
import { streamRow, viewStream } from '../stream-view.ts';
import { routeActions } from './action-routes.ts';
import type { Door } from './door.ts';
import { routeLogin } from './login-routes.ts';
import type { PageFiles, ViewPorts } from './ports.ts';
import { routeRuns } from './run-routes.ts';

/** Runs whose places in lines are looked up for one answer. */
const MOST_WAITING = 100;
/** Runs among which those of schedules are found. */
const MOST_FIRED = 10_000;
const READS_AT_ONCE = 8;
const DAY = 86_400_000;
/** Addresses of screens: the page reads from them what it shows. */
const SCREENS = ['/', '/runs', '/runs/:run', '/streams', '/streams/:stream', '/queues', '/schedules', '/targets'];

/** The page and what it reads, as a function from a Request to a Response: whoever hosts it speaks HTTP. */
export function createApp(ports: ViewPorts, page: PageFiles, door: Door): Hono {
  const app = new Hono();
  app.use(door.headers, door.enter, async (context, next) => {
    await next();
    context.header('cache-control', 'no-cache');
  });
  app.onError((error, context) => {
    const answer = answerError(error, context);
    if (answer.status >= 500) ports.log?.error('a request of the page failed', { path: context.req.path, error });
    return answer;
  });
  app.notFound((context) => context.json({ reason: 'NotFound', message: 'there is nothing at this address' }, 404));
  for (const path of SCREENS) app.get(path, (context) => context.html(page.html));
  app.get('/page.js', (context) =>
    context.body(page.script, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  app.get('/page.css', (context) => context.body(page.style, 200, { 'content-type': 'text/css; charset=utf-8' }));
  // Before what asks for a token: here is where people get theirs.
  routeLogin(app, door);
  app.use('/api/*', door.read, etag());
  routeRuns(app, ports);
  routeStreams(app, ports);
  routePlaces(app, ports);
  routeActions(app, ports, door);
  return app;
}

function routeStreams(app: Hono, ports: ViewPorts): void {
  app.get('/api/streams', async (context) => {
    const rows = (await ports.streams()).map(streamRow).sort((a, b) => (a.name < b.name ? -1 : 1));
    return context.json({ rows });
  });
  app.get('/api/streams/:stream', async (context) =>
    context.json(viewStream(await ports.stream(context.req.param('stream')))),
  );
  app.get('/api/streams/:stream/changes', async (context) => {
    const numbers = ['from', 'to'].map((name) => Number(context.req.query(name)));
    const [from = NaN, to = NaN] = numbers;
    if (![from, to].every((one) => Number.isInteger(one) && one > 0)) {
      throw new DispatchError('MalformedRequest', 'from and to must be numbers of generations', { field: 'from' });
    }
    const record = await ports.stream(context.req.param('stream'));
    return context.json({ changes: await ports.changes(record, [from, to]) });
  });
}

function routePlaces(app: Hono, ports: ViewPorts): void {
  app.get('/api/about', (context) => {
    const has = (part: 'actions' | 'targets' | 'schedules'): boolean => ports[part] !== undefined;
    const may = { act: has('actions'), targets: has('targets'), schedules: has('schedules') };
    return context.json({ ledger: ports.ledger, may });
  });
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
  app.get('/api/schedules', async (context) => {
    const now = ports.clock.now();
    const [schedules, rows] = await Promise.all([
      ports.schedules?.() ?? [],
      ports.rows({ limit: MOST_FIRED, since: now - MOST_DAYS * DAY, matches: () => true }),
    ]);
    return context.json({ schedules: viewSchedules(schedules, rows, now) });
  });
}

const STATUS: Readonly<Partial<Record<Reason, ContentfulStatusCode>>> = {
  RunNotFound: 404,
  JobNotFound: 404,
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
