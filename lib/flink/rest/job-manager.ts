import * as z from 'zod';
import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type {
  ApplicationManager,
  Applications,
  ApplicationSummary,
  JobManager,
  JobManagerFacts,
  JobResult,
  JobRuntime,
  RootException,
} from '../job-manager.ts';
import {
  Accumulators,
  Anything,
  ApplicationsOverview,
  CheckpointConfig,
  Exceptions,
  JobDetails,
  JobsOverview,
  Metrics,
  Overview,
} from './answers.ts';
import { call, readAnswer, refusal, send } from './call.ts';
import { jobCheckpoints } from './checkpoints.ts';
import { mainThread } from './main-thread.ts';
import { rootException } from './root-exception.ts';
import { restPath, type RestRequest, type RestResponse, type RestTransport } from './transport.ts';

const MAX_EVIDENCE = 64 * 1024;
/** NumRestartsGauge's name. */
const RESTARTS = 'numRestarts';
const MAX_ACCUMULATORS = 1_000;
const MAX_ACCUMULATOR_VALUE = 4 * 1024;

/** The JobManager behind a transport; it keeps nothing between calls but the version that it saw. */
export function createJobManager(transport: RestTransport): JobManager {
  let version: string | undefined;
  return {
    async overview() {
      const first = version === undefined ? undefined : applications(transport, version);
      // settled below, whatever the other answers are
      first?.catch(() => undefined);
      const [overview, { jobs }] = await Promise.all([
        call(transport, { method: 'GET', path: '/overview' }, Overview),
        call(transport, { method: 'GET', path: '/jobs/overview' }, JobsOverview),
      ]);
      version = overview['flink-version'];
      const found = await (first ?? applications(transport, version));
      const facts: JobManagerFacts = {
        flinkVersion: version,
        taskManagers: overview.taskmanagers,
        slotsTotal: overview['slots-total'],
        slotsAvailable: overview['slots-available'],
        jobs,
        ...defined({ applications: found }),
      };
      return facts;
    },
    runtime: (jobId) => jobRuntime(transport, jobId),
    result: (jobId) => jobResult(transport, jobId),
    checkpoints: (jobId) => jobCheckpoints(transport, jobId),
    async cancel(jobId) {
      const query = { mode: 'cancel' };
      await call(transport, { method: 'PATCH', path: restPath('jobs', jobId), query }, Anything);
    },
  };
}

/** The JobManager of an application cluster, behind a transport. */
export function createApplicationManager(transport: RestTransport): ApplicationManager {
  return {
    ...createJobManager(transport),
    ...createApplications(transport),
    mainThread: () => mainThread(transport),
    restarts: (jobId) => restarts(transport, jobId),
  };
}

export function createApplications(transport: RestTransport): Applications {
  return {
    async exception(applicationId) {
      const request: RestRequest = { method: 'GET', path: restPath('applications', applicationId, 'exceptions') };
      const response = await send(transport, request);
      // before 2.3 there is no such handler
      if (response.status === 404) return undefined;
      if (response.status !== 200) throw refusal(request, response);
      return newestException(readAnswer(request, response.body, Exceptions));
    },
  };
}

async function applications(
  transport: RestTransport,
  version: string,
): Promise<readonly ApplicationSummary[] | undefined> {
  if (!hasApplications(version)) return undefined;
  const request: RestRequest = { method: 'GET', path: '/applications/overview' };
  const response = await send(transport, request);
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw refusal(request, response);
  return readAnswer(request, response.body, ApplicationsOverview).applications;
}

/** ApplicationsOverviewHeaders came with 2.3. */
function hasApplications(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 3);
}

/** Ends the JobManager as the end of its application would: it removes its cluster, and what high availability kept. */
export async function shutDownCluster(transport: RestTransport): Promise<void> {
  await call(transport, { method: 'DELETE', path: '/cluster' }, Anything);
}

async function jobRuntime(transport: RestTransport, jobId: string): Promise<JobRuntime> {
  const { 'job-type': type } = await call(transport, { method: 'GET', path: restPath('jobs', jobId) }, JobDetails);
  if (type !== 'STREAMING') return { jobId, ...(type === 'BATCH' && { type }) };
  return { jobId, type, ...defined({ checkpointInterval: await checkpointInterval(transport, jobId) }) };
}

async function restarts(transport: RestTransport, jobId: string): Promise<number> {
  const request = { method: 'GET', path: restPath('jobs', jobId, 'metrics'), query: { get: RESTARTS } } as const;
  const metrics = await call(transport, request, Metrics);
  return Number(metrics.find(({ id }) => id === RESTARTS)?.value ?? 0);
}

/** CheckpointConfigHandler answers 404 for a job that takes none. */
async function checkpointInterval(transport: RestTransport, jobId: string): Promise<Duration | undefined> {
  const request: RestRequest = { method: 'GET', path: restPath('jobs', jobId, 'checkpoints', 'config') };
  const response = await send(transport, request);
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw refusal(request, response);
  const { interval } = readAnswer(request, response.body, CheckpointConfig);
  return interval > 0 && interval < Number.MAX_SAFE_INTEGER ? interval : undefined;
}

/** What is asked about a job that ended, below `/jobs/<id>`; the first is the job itself. */
const RESULT_PARTS = ['', 'exceptions', 'accumulators', 'checkpoints', 'config'] as const;

async function jobResult(transport: RestTransport, jobId: string): Promise<JobResult> {
  const asked = RESULT_PARTS.map((part): RestRequest => {
    return { method: 'GET', path: part === '' ? restPath('jobs', jobId) : restPath('jobs', jobId, part) };
  });
  const [job, ...parts] = await Promise.allSettled(asked.map((request) => answer(transport, request)));
  if (job?.status === 'rejected') throw job.reason;
  const answers = new Map<string, unknown>();
  [job, ...parts].forEach((part, index) => {
    const request = asked[index];
    if (part?.status === 'fulfilled' && request !== undefined) answers.set(request.path, part.value);
  });
  const exception = newestException(read(answers.get(restPath('jobs', jobId, 'exceptions')), Exceptions));
  const accumulators = read(answers.get(restPath('jobs', jobId, 'accumulators')), Accumulators);
  return {
    ...defined({ rootException: exception }),
    ...(accumulators !== undefined && { accumulators: accumulatorValues(accumulators) }),
    answers: Object.fromEntries([...answers].map(([path, body]) => [path, bounded(body)])),
  };
}

async function answer(transport: RestTransport, request: RestRequest): Promise<unknown> {
  const response: RestResponse = await send(transport, request);
  if (response.status !== 200) throw refusal(request, response);
  return readAnswer(request, response.body, z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]));
}

/** One part that is not understood does not take the others away. */
function read<T>(body: unknown, schema: z.ZodType<T>): T | undefined {
  const parsed = schema.safeParse(body);
  return parsed.success ? parsed.data : undefined;
}

function newestException(answer: z.infer<typeof Exceptions> | undefined): RootException | undefined {
  const entry = answer?.exceptionHistory?.entries[0];
  const text = entry?.stacktrace ?? entry?.exceptionName ?? answer?.['root-exception'];
  if (!text) return undefined;
  const time = entry === undefined ? answer?.timestamp : entry.timestamp;
  return rootException(text, { time, taskManagerId: entry?.taskManagerId });
}

function accumulatorValues(answer: z.infer<typeof Accumulators>): Record<string, string> {
  const found = answer['user-task-accumulators'].slice(0, MAX_ACCUMULATORS);
  return Object.fromEntries(found.map(({ name, value }) => [name, (value ?? 'null').slice(0, MAX_ACCUMULATOR_VALUE)]));
}

function bounded(body: unknown): unknown {
  const text = JSON.stringify(body);
  return text.length <= MAX_EVIDENCE ? body : { truncated: true, bytes: text.length, head: text.slice(0, 4096) };
}
