import type { Context, Hono } from 'hono';
import { DispatchError } from '../../core/errors.ts';
import { parseFilter } from '../../operate/filter.ts';
import type { Attempt, RunRecord } from '../../run/record.ts';
import { seriesOf } from '../../run/samples/series.ts';
import { ABORT_DECISION_FILE, DECISION_FILE } from '../../verdict/decision-evidence.ts';
import { viewPods } from '../pods-view.ts';
import { reportOf } from '../report/report.ts';
import { replayDocument, replayOf, type Replay } from '../replay.ts';
import { viewRun } from '../run-view.ts';
import type { ViewPorts } from './ports.ts';

export function routeRuns(app: Hono, ports: ViewPorts): void {
  app.get('/api/runs', async (context) => {
    const { state, reason, name, tenant, trigger, tag, since, limit } = filled(context.req.query());
    const wish = parseFilter({ state, reason, name, tenant, trigger, tag, since, limit }, ports.clock.now());
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
  routeAttempts(app, ports);
}

function routeAttempts(app: Hono, ports: ViewPorts): void {
  app.get('/api/runs/:run/attempts/:attempt/decisions', async (context) => {
    const decisions = await decisionsOf(await attemptAt(context, ports), ports);
    return context.json({ decisions: decisions.map(replayDocument) });
  });
  app.get('/api/runs/:run/attempts/:attempt/pods', async (context) => {
    const decisions = await decisionsOf(await attemptAt(context, ports), ports);
    const seen = decisions.at(-1)?.kept;
    return context.json({ pods: seen === undefined ? null : viewPods(seen.observation.kubernetes, seen.now) });
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

interface RunAttempt {
  readonly run: RunRecord;
  readonly attempt: Attempt;
}

async function attemptAt(context: Context, ports: ViewPorts): Promise<RunAttempt> {
  const run = await ports.run(context.req.param('run') ?? '');
  const number = context.req.param('attempt') ?? '';
  const attempt = run.attempts.find((one) => String(one.number) === number);
  if (attempt === undefined) throw new DispatchError('RunNotFound', `run ${run.runId} has no attempt '${number}'`);
  return { run, attempt };
}

async function decisionsOf({ run, attempt }: RunAttempt, ports: ViewPorts): Promise<readonly Replay[]> {
  const files = [ABORT_DECISION_FILE, DECISION_FILE].filter((file) => attempt.artifacts?.includes(file));
  const texts = await Promise.all(files.map((file) => ports.evidence(run.runId, attempt.number, file)));
  return texts.flatMap((text, index) => (text === undefined ? [] : [replayOf(files[index] ?? '', text)]));
}

/** A field that was left empty chooses nothing. */
function filled(query: Record<string, string>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}
