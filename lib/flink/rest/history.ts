import * as z from 'zod';
import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import { mapConcurrent } from '../../core/map-concurrent.ts';
import { furtherPaths, jobPaths, OVERVIEW } from '../archive/paths.ts';
import type { JobAnswers, JobFigures, JobHistory, SampledJob } from '../job-history.ts';
import { Metrics } from './answers.ts';
import { call } from './call.ts';
import { figuresOf } from './figures.ts';
import { AggregatedMaximum, CheckpointFigures, JobGraph } from './history-answers.ts';
import { restPath, type RestRequest, type RestTransport } from './transport.ts';

/** NumRestartsGauge's name. */
const RESTARTS = 'numRestarts';
const HEAP_USED = 'Status.JVM.Memory.Heap.Used';
const HEAP_MAX = 'Status.JVM.Memory.Heap.Max';
/** Nobody waits for what is kept for later. */
const TIMEOUT: Duration = 3_000;
/** The ends of a graph, whose watermark is that of the whole. */
const MOST_WATERMARKS = 3;
const AT_ONCE = 6;
const MOST_SILENT = 3;
/** Milliseconds for all answers of one job: the run ends with what there is by then, in the time that a function has. */
const BUDGET = 8_000;

export function createJobHistory(transport: RestTransport): JobHistory {
  return {
    figures: (jobId, kind) => figures(transport, jobId, kind),
    answers: (jobId, known = {}) => answers(transport, jobId, known),
  };
}

/** Each request makes the JobManager fetch what its TaskManagers count: what is asked for last is the newest. */
async function figures(transport: RestTransport, jobId: string, kind: 'batch' | 'streaming'): Promise<JobFigures> {
  const [restarts, checkpoints] = await Promise.all([
    optional(call(transport, get(['jobs', jobId, 'metrics'], { get: RESTARTS }), Metrics)),
    kind === 'batch' ? undefined : optional(call(transport, get(['jobs', jobId, 'checkpoints']), CheckpointFigures)),
  ]);
  const [graph, heap] = await Promise.all([call(transport, get(['jobs', jobId]), JobGraph), heapOf(transport)]);
  const told = figuresOf(graph, checkpoints);
  const watermarks = kind === 'batch' ? undefined : await watermarksOf(transport, told.job);
  return {
    ...told,
    counts: told.counts.map((counts, index) => {
      return { ...counts, ...defined({ watermark: watermarks?.get(told.job.vertices[index]?.id ?? '') }) };
    }),
    ...defined({ heap, restarts: numberIn(restarts?.find(({ id }) => id === RESTARTS)?.value) }),
  };
}

async function heapOf(transport: RestTransport): Promise<JobFigures['heap']> {
  const query = { get: `${HEAP_USED},${HEAP_MAX}`, agg: 'max' };
  const metrics = await optional(call(transport, get(['taskmanagers', 'metrics'], query), AggregatedMaximum));
  const [used, max] = [HEAP_USED, HEAP_MAX].map((name) => metrics?.find(({ id }) => id === name)?.max);
  return used === undefined || max === undefined || max <= 0 ? undefined : { used, max };
}

/** Of the last vertices of the graph, as far as they have one. */
async function watermarksOf(
  transport: RestTransport,
  { id: jobId, vertices }: SampledJob,
): Promise<ReadonlyMap<string, number>> {
  const ends = vertices.filter(({ inputs }) => inputs.length > 0).slice(-MOST_WATERMARKS);
  const found = await Promise.all(
    ends.map(async ({ id }) => {
      const told = await optional(call(transport, get(['jobs', jobId, 'vertices', id, 'watermarks']), Metrics));
      const values = (told ?? []).flatMap(({ value }) => numberIn(value) ?? []);
      // Long.MIN_VALUE before the first one, Long.MAX_VALUE behind the last.
      const isKnown = values.length > 0 && values.every((value) => Math.abs(value) < Number.MAX_SAFE_INTEGER);
      return isKnown ? [[id, Math.min(...values)] as const] : [];
    }),
  );
  return new Map(found.flat());
}

async function answers(transport: RestTransport, jobId: string, known: JobAnswers): Promise<JobAnswers> {
  // A JobManager that hangs is not waited for at each path anew.
  let silent = 0;
  const until = performance.now() + BUDGET;
  const ask = async (paths: readonly string[]): Promise<JobAnswers> => {
    const told = await mapConcurrent(paths, AT_ONCE, async (path) => {
      if (silent >= MOST_SILENT || performance.now() > until) return [];
      return anything(transport, path).then(
        (answer) => [[path, answer] as const],
        (error: unknown) => {
          if (isDispatchError(error) && error.reason === 'RestUnreachable') silent += 1;
          return [];
        },
      );
    });
    return Object.fromEntries(told.flat());
  };
  const [overview, first] = await Promise.all([
    anything(transport, OVERVIEW),
    ask(jobPaths(jobId).filter((path) => known[path] === undefined)),
  ]);
  const told = { ...known, ...first };
  return { [OVERVIEW]: overview, ...told, ...(await ask(furtherPaths(jobId, told))) };
}

function anything(transport: RestTransport, path: string): Promise<unknown> {
  return call(
    transport,
    { method: 'GET', path, timeout: TIMEOUT },
    z.record(z.string(), z.unknown()).or(z.array(z.unknown())),
  );
}

function get(segments: readonly string[], query?: Readonly<Record<string, string>>): RestRequest {
  return { method: 'GET', path: restPath(...segments), timeout: TIMEOUT, ...defined({ query }) };
}

/** A part that is not told does not take the others away. */
function optional<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch(() => undefined);
}

function numberIn(text: string | undefined): number | undefined {
  const number = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}
