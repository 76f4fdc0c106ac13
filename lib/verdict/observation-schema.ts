import * as z from 'zod';
import { runIdSchema as runId } from '../core/id-schemas.ts';
import { JOB_STATE_NAMES } from '../flink/job-state.ts';
import { snapshotSchema } from '../state/snapshot.ts';
import type { Observation } from './observation.ts';

/*
 * An observation as JSON, as it is kept in the evidence of an attempt. Fields that this version does not know are passed
 * over.
 */
const text = z.string();
const instant = z.number();

const container = z.object({
  name: text,
  init: z.boolean(),
  image: text,
  imageDigest: text.exactOptional(),
  ready: z.boolean(),
  restartCount: z.number(),
  state: z.enum(['waiting', 'running', 'terminated']),
  reason: text.exactOptional(),
  message: text.exactOptional(),
  exitCode: z.number().exactOptional(),
  startedAt: instant.exactOptional(),
  finishedAt: instant.exactOptional(),
  last: z
    .object({
      reason: text.exactOptional(),
      message: text.exactOptional(),
      exitCode: z.number().exactOptional(),
      finishedAt: instant.exactOptional(),
    })
    .exactOptional(),
});

const pod = z.object({
  name: text,
  uid: text,
  component: z.enum(['jobmanager', 'taskmanager']),
  phase: text,
  reason: text.exactOptional(),
  message: text.exactOptional(),
  node: text.exactOptional(),
  createdAt: instant,
  deleting: z.boolean(),
  ready: z.boolean(),
  unschedulable: text.exactOptional(),
  gates: text.exactOptional(),
  containers: z.array(container),
});

const owner = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), runId, attempt: z.number(), ledger: text.exactOptional() }),
  z.object({ kind: z.literal('pool'), pool: text, ledger: text }),
]);

const deployment = z.discriminatedUnion('state', [
  z.object({ state: z.literal('absent') }),
  z.object({
    state: z.literal('present'),
    uid: text,
    owner: owner.exactOptional(),
    deleting: z.boolean(),
    createdAt: instant,
    desiredReplicas: z.number(),
    conditions: z.array(z.object({ type: text, status: text, reason: text, message: text })),
  }),
]);

const event = z.object({ object: text, type: text, reason: text, message: text, count: z.number(), lastSeen: instant });

const job = z.object({
  id: text,
  name: text,
  state: z.enum(JOB_STATE_NAMES),
  reportedState: text.exactOptional(),
  startTime: instant,
  endTime: instant,
  duration: z.number(),
  tasks: z.record(text, z.number()),
});

const jobManagerFacts = z.object({
  flinkVersion: text,
  taskManagers: z.number(),
  slotsTotal: z.number(),
  slotsAvailable: z.number(),
  jobs: z.array(job),
  applications: z
    .array(
      z.object({
        id: text,
        name: text,
        status: text,
        endTime: instant.exactOptional(),
        jobs: z.number().exactOptional(),
      }),
    )
    .exactOptional(),
});

const rootException = z.object({
  message: text,
  stackTrace: text,
  time: instant.exactOptional(),
  taskManagerId: text.exactOptional(),
});

const jobResult = z.object({
  rootException: rootException.exactOptional(),
  accumulators: z.record(text, text).exactOptional(),
  answers: z.record(text, z.unknown()),
});

const rest = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('answered'),
    facts: jobManagerFacts,
    result: jobResult.exactOptional(),
    results: z.record(text, jobResult).exactOptional(),
    runtime: z
      .object({
        jobId: text,
        type: z.enum(['BATCH', 'STREAMING']).exactOptional(),
        checkpointInterval: z.number().exactOptional(),
      })
      .exactOptional(),
    main: z
      .discriminatedUnion('state', [
        z.object({ state: z.literal('running'), stack: text }),
        z.object({ state: z.literal('returned') }),
      ])
      .exactOptional(),
    askedAt: instant.exactOptional(),
    applicationException: rootException.exactOptional(),
    trouble: rootException.exactOptional(),
  }),
  z.object({ state: z.literal('unreachable'), error: text }),
]);

const stop = z.object({
  operation: z
    .object({
      ordinal: z.number(),
      state: z.enum(['in-progress', 'completed', 'failed', 'unknown']),
      message: text.exactOptional(),
    })
    .exactOptional(),
  savepoint: snapshotSchema.nullable().exactOptional(),
  newest: snapshotSchema.exactOptional(),
});

export const observationSchema = z.object({
  at: instant,
  kubernetes: z.object({ deployment, pods: z.array(pod), events: z.array(event) }),
  rest,
  jobManagerLog: z.object({ text, stopped: z.boolean() }).exactOptional(),
  leavingLog: text.exactOptional(),
  hasRefusedRight: z.boolean().exactOptional(),
  stop: stop.exactOptional(),
}) satisfies z.ZodType<Observation>;
