import type { RunId } from '../../core/ids.ts';
import { buildEvent } from '../../outcome/event.ts';
import { malformed, parseFilter } from '../filter.ts';
import { knownRun } from '../find-run.ts';
import { keptLogs } from '../kept-logs.ts';
import { covers } from '../scope.ts';
import { rowView, runView } from '../views.ts';
import { waitForOutcome } from '../wait-for-outcome.ts';
import { json, type HttpAnswer, type Routed } from './call.ts';
import { flagIn, queryOf, waitIn } from './query.ts';

const FILTERS = ['state', 'reason', 'name', 'tenant', 'trigger', 'tag', 'since', 'limit'] as const;
/** An answer of a function has at most 6 MB. */
const MOST_RUNS = 2_000;
const MOST_LOG = 4_000_000;
/** Between two looks of a call that waits: it answers within a second of the end. */
const EVERY = 500;

/** Of the caller's tenant, the newest first. */
export async function listRuns({ call, scope, deps }: Routed): Promise<HttpAnswer> {
  const texts = queryOf(call, FILTERS);
  const { matches, limit, ...wish } = parseFilter(texts, deps.clock.now());
  if (limit > MOST_RUNS) throw malformed('limit', `'${limit}' must be at most ${MOST_RUNS}`);
  const rows = await deps.runs.rows({ ...wish, limit, matches: (row) => covers(scope, row) && matches(row) });
  return json(200, { runs: rows.map(rowView) });
}

export async function getRun(runId: RunId, { call, scope, deps }: Routed): Promise<HttpAnswer> {
  const { wait } = queryOf(call, ['wait']);
  const until = deps.clock.now() + waitIn(wait);
  return json(200, runView(await waitForOutcome(runId, scope, { until, every: EVERY }, deps)));
}

/** What was or is to be published of it, as CloudEvents; `after` leaves out those up to that sequence. */
export async function listEvents(runId: RunId, { call, scope, deps }: Routed): Promise<HttpAnswer> {
  const { after = '0' } = queryOf(call, ['after']);
  if (!/^\d{1,9}$/.test(after)) throw malformed('after', `'${after}' must be the sequence of an event`);
  const run = await knownRun(runId, scope, deps.ledger);
  const events = run.events.filter(({ sequence }) => sequence > Number(after));
  const batch = events.map((event) => buildEvent(run, event, deps.eventContext));
  return json(200, batch, { 'content-type': 'application/cloudevents-batch+json' });
}

/** As text; lines of several pods begin with its name. */
export async function readLogs(runId: RunId, { call, scope, deps }: Routed): Promise<HttpAnswer> {
  const { taskmanagers, previous, ...choice } = queryOf(call, ['attempt', 'pod', 'taskmanagers', 'previous', 'tail']);
  const run = await knownRun(runId, scope, deps.ledger);
  const wanted = {
    ...choice,
    taskManagers: flagIn('taskmanagers', taskmanagers),
    previous: flagIn('previous', previous),
  };
  const logs = await keptLogs(run, wanted, deps.evidence);
  const text = logs.map(({ pod, log }) => (logs.length === 1 ? log : prefixed(pod, log))).join('\n');
  if (Buffer.byteLength(text) > MOST_LOG)
    throw malformed('tail', 'is missing, and the logs are too long for one answer: name a pod, or a number of lines');
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text };
}

function prefixed(pod: string, log: string): string {
  const lines = log.trimEnd().split('\n');
  return lines.map((line) => `[${pod}] ${line}`).join('\n');
}
