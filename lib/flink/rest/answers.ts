import * as z from 'zod';
import { JOB_STATE_NAMES } from '../job-state.ts';

/**
 * Answers of org.apache.flink.runtime.rest.messages, 1.19 to 2.3. Only what is used is described, and unknown fields
 * pass: a newer JobManager may say more.
 */

export const Overview = z.object({
  taskmanagers: z.number(),
  'slots-total': z.number(),
  'slots-available': z.number(),
  'flink-version': z.string(),
});

const Job = z
  .object({
    jid: z.string(),
    name: z.string(),
    state: z.string(),
    'start-time': z.number(),
    'end-time': z.number(),
    duration: z.number(),
    tasks: z.record(z.string(), z.number()).default({}),
  })
  .transform((job) => {
    const state = JOB_STATE_NAMES.find((name) => name === job.state) ?? 'UNKNOWN';
    return {
      id: job.jid,
      name: job.name,
      state,
      ...(state === 'UNKNOWN' && { reportedState: job.state }),
      startTime: job['start-time'],
      endTime: job['end-time'],
      duration: job.duration,
      tasks: Object.fromEntries(Object.entries(job.tasks).map(([name, count]) => [name.toUpperCase(), count])),
    };
  });

/** JobsOverviewHeaders. */
export const JobsOverview = z.object({ jobs: z.array(Job) });

/** ApplicationsOverviewHeaders, from 2.3. */
export const ApplicationsOverview = z.object({
  applications: z.array(
    z
      .object({
        id: z.string(),
        name: z.string(),
        status: z.string(),
        'end-time': z.number().exactOptional(),
        jobs: z.record(z.string(), z.number()).exactOptional(),
      })
      .transform(({ 'end-time': endTime, jobs, ...application }) => ({
        ...application,
        ...(endTime !== undefined && { endTime }),
        ...(jobs !== undefined && { jobs: Object.values(jobs).reduce((sum, count) => sum + count, 0) }),
      })),
  ),
});

/** JobDetailsInfo; `job-type` came with 1.20. */
export const JobDetails = z.object({ 'job-type': z.enum(['BATCH', 'STREAMING']).nullish().catch(undefined) });

/**
 * AggregatedSubtaskMetricsHeaders. What nobody measures yet is left out; what a subtask does not measure, as a legacy source
 * does not, is "NaN".
 */
export const AggregatedMetrics = z.array(z.object({ id: z.string(), avg: z.number().optional().catch(undefined) }));

/** JobPlanInfo, of a plan that nobody runs. */
export const JobPlan = z.object({
  plan: z.object({
    nodes: z.array(
      z
        .object({
          id: z.string().regex(/^[0-9a-f]{32}$/),
          description: z.string().default(''),
          inputs: z.array(z.object({ id: z.string().regex(/^[0-9a-f]{32}$/) })).default([]),
        })
        .transform(({ inputs, ...node }) => ({ ...node, inputs: inputs.map(({ id }) => id) })),
    ),
  }),
});

/** JobDetailsInfo.JobVertexDetailsInfo: the parallelism is that of now, whatever was asked for. */
export const JobVertices = z.object({
  vertices: z.array(
    z
      .object({
        id: z.string(),
        name: z.string(),
        parallelism: z.number(),
        maxParallelism: z.number(),
        tasks: z.record(z.string(), z.number()),
      })
      .transform(({ tasks: { RUNNING: running = 0, FINISHED: finished = 0 }, ...vertex }) => ({
        ...vertex,
        allRun: running + finished >= vertex.parallelism,
      })),
  ),
});

const Bounds = z.object({ lowerBound: z.number(), upperBound: z.number() });

/** JobResourceRequirementsBody: by the ids of vertices. */
export const ResourceRequirements = z
  .record(z.string(), z.object({ parallelism: Bounds }))
  .transform((vertices) =>
    Object.fromEntries(Object.entries(vertices).map(([id, { parallelism }]) => [id, parallelism])),
  );

/** CheckpointConfigInfo; the interval is Long.MAX_VALUE where checkpoints are taken by request alone. */
export const CheckpointConfig = z.object({ interval: z.number() });

/** CheckpointStatistics.CompletedCheckpointStatistics; `discarded` is true of one that was subsumed or disposed. */
const Completed = z.object({
  id: z.number(),
  is_savepoint: z.boolean(),
  savepointFormat: z.string().nullish(),
  external_path: z.string().nullish(),
  discarded: z.boolean().default(false),
  latest_ack_timestamp: z.number(),
  state_size: z.number(),
});

/** CheckpointingStatistics: `latest.restored` is what the job began from. */
export const CheckpointingStatistics = z.object({
  counts: z.object({ completed: z.number(), failed: z.number(), in_progress: z.number().default(0) }),
  latest: z.object({
    completed: Completed.nullish(),
    savepoint: Completed.nullish(),
    restored: z.object({ id: z.number(), external_path: z.string().nullish() }).nullish(),
  }),
});

/** MetricCollectionResponseBody: without those that were not fetched from the metric registry yet. */
export const Metrics = z.array(z.object({ id: z.string(), value: z.string() }));

/** ThreadDumpInfo. */
export const ThreadDump = z.object({ threadInfos: z.array(z.object({ stringifiedThreadInfo: z.string() })) });

const ExceptionEntry = z.object({
  exceptionName: z.string().nullish(),
  stacktrace: z.string().nullish(),
  timestamp: z.number().nullish(),
  taskManagerId: z.string().nullish(),
});

/** JobExceptionsInfoWithHistory: newest first. `root-exception` is the older form, gone in 2.x. */
export const Exceptions = z.object({
  'root-exception': z.string().nullish(),
  timestamp: z.number().nullish(),
  exceptionHistory: z.object({ entries: z.array(ExceptionEntry) }).nullish(),
});

/** JobAccumulatorsInfo. */
export const Accumulators = z.object({
  'user-task-accumulators': z.array(z.object({ name: z.string(), type: z.string(), value: z.string().nullable() })),
});

/** TriggerResponse. */
export const Triggered = z.object({ 'request-id': z.string() });

const Failure = z.object({ 'stack-trace': z.string() });

/** AsynchronousOperationResult of SavepointInfo, or of AsynchronousOperationInfo for a disposal. */
export const OperationStatus = z.object({
  status: z.object({ id: z.string() }),
  operation: z.object({ location: z.string().nullish(), 'failure-cause': Failure.nullish() }).nullish(),
});

export const TaskManagers = z.object({
  taskmanagers: z.array(z.object({ id: z.string(), slotsNumber: z.number(), freeSlots: z.number() })),
});

/** LogListInfo. */
export const Logs = z.object({ logs: z.array(z.object({ name: z.string(), size: z.number() })) });

/** ClusterConfigurationInfo. */
export const Configuration = z.array(z.object({ key: z.string(), value: z.string() }));

/** JarUploadResponseBody: the path of the file on the JobManager. */
export const JarUploaded = z.object({ filename: z.string() });

/** JarListInfo. */
export const JarList = z.object({ files: z.array(z.object({ id: z.string(), name: z.string() })) });

/** JarRunResponseBody. */
export const JarStarted = z.object({ jobid: z.string() });

/** Handlers that say nothing but "accepted". */
export const Anything = z.unknown();
