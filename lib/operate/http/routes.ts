import { DispatchError } from '../../core/errors.ts';
import { isRunId, type RunId } from '../../core/ids.ts';
import { tenantOf } from '../../job/config/tenants.ts';
import type { HttpAnswer, HttpCall, HttpDeps, Routed } from './call.ts';
import { causeOf, problemOf } from './problem.ts';
import { allowEvents, deliverEvents } from './event-call.ts';
import { cancelRun, replayRun, rerunRun, savepointRun, stopRun } from './order-calls.ts';
import { getRun, listEvents, listRuns, readLogs } from './read-calls.ts';
import { startRun } from './start-call.ts';

type OfRun = (runId: RunId, routed: Routed) => Promise<HttpAnswer>;

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  /** `{runId}` stands for a run's id. */
  readonly path: string;
  readonly answer: (...of: Parameters<OfRun>) => HttpAnswer | Promise<HttpAnswer>;
}

/** All that can be called; the OpenAPI document describes each of them. */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/runs', answer: (_, routed) => startRun(routed) },
  { method: 'GET', path: '/runs', answer: (_, routed) => listRuns(routed) },
  { method: 'GET', path: '/runs/{runId}', answer: getRun },
  { method: 'DELETE', path: '/runs/{runId}', answer: cancelRun },
  { method: 'POST', path: '/runs/{runId}/stop', answer: stopRun },
  { method: 'POST', path: '/runs/{runId}/savepoint', answer: savepointRun },
  { method: 'POST', path: '/runs/{runId}/rerun', answer: rerunRun },
  { method: 'POST', path: '/runs/{runId}/replay', answer: replayRun },
  { method: 'GET', path: '/runs/{runId}/events', answer: listEvents },
  { method: 'GET', path: '/runs/{runId}/logs', answer: readLogs },
  { method: 'POST', path: '/events', answer: (_, routed) => deliverEvents(routed) },
  { method: 'OPTIONS', path: '/events', answer: (_, routed) => allowEvents(routed) },
];

/** Answers a call, whatever goes wrong; a fault that is not the caller's goes to the log as well. */
export async function answerCall(call: HttpCall, deps: HttpDeps): Promise<HttpAnswer> {
  try {
    return sealed(await routed(call, deps));
  } catch (thrown) {
    const cause = causeOf(thrown);
    if (cause !== undefined) deps.log.error('a call failed', { method: call.method, path: call.path, cause });
    return sealed(problemOf(thrown));
  }
}

async function routed(call: HttpCall, deps: HttpDeps): Promise<HttpAnswer> {
  const source = { kind: 'http', requestId: call.requestId, caller: call.caller } as const;
  const scope = { kind: 'tenant', tenant: tenantOf(source, deps.prepare.deployment) } as const;
  const found = ROUTES.flatMap((route) => {
    const named = idIn(route.path, call.path);
    return named === undefined ? [] : [{ route, named }];
  });
  const match = found.find(({ route }) => route.method === call.method);
  if (match !== undefined) return match.route.answer(match.named as RunId, { call, scope, deps });
  if (found.length === 0) {
    return problemOf(new DispatchError('MalformedRequest', `there is no ${call.path.slice(0, 100)}`), 404);
  }
  const allow = found.map(({ route }) => route.method).join(', ');
  const answer = problemOf(new DispatchError('MalformedRequest', `${call.path} takes ${allow}`), 405);
  return { ...answer, headers: { ...answer.headers, allow } };
}

/** The run's id in a path of this form, or `''` where it has none. @throws DispatchError for what can be no id */
function idIn(form: string, path: string): string | undefined {
  const [before = '', after] = form.split('{runId}');
  if (after === undefined) return path === form ? '' : undefined;
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
  const id = path.slice(before.length, path.length - after.length);
  if (id === '' || id.includes('/')) return undefined;
  if (isRunId(id)) return id;
  throw new DispatchError('RunNotFound', `there is no run '${id.slice(0, 100)}'`, { field: 'run' });
}

/** Nothing of it is anyone else's to keep. */
function sealed(answer: HttpAnswer): HttpAnswer {
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers };
  return { ...answer, headers };
}
