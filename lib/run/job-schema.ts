import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { isStoredClusterId, type ClusterId } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import { statePlan } from './state-schema.ts';

/** Of a job as records hold it; fields that this version does not know are kept. */
const instant = z.number();
const texts = z.record(z.string(), z.string());
const clusterId = z.custom<ClusterId>(isStoredClusterId, 'must be a cluster id');
const podTemplate = z.custom<V1PodTemplateSpec>(isRecord, 'must be a pod template');

const podTemplates = z.looseObject({
  common: podTemplate.exactOptional(),
  jobManager: podTemplate.exactOptional(),
  taskManager: podTemplate.exactOptional(),
});

export const sourceSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('jar-upload'),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string().exactOptional(),
    sequencer: z.string().exactOptional(),
    eTag: z.string().exactOptional(),
    size: z.number().exactOptional(),
    eventTime: instant,
  }),
  z.looseObject({
    kind: z.literal('message'),
    queueArn: z.string(),
    messageId: z.string(),
    idempotencyKey: z.string().exactOptional(),
    tick: z
      .looseObject({ schedule: z.string(), scheduledTime: instant, timeZone: z.string().exactOptional() })
      .exactOptional(),
  }),
  z.looseObject({
    kind: z.literal('schedule'),
    schedule: z.string(),
    scheduledTime: instant,
    calledBy: z.string().exactOptional(),
  }),
  z.looseObject({
    kind: z.literal('http'),
    requestId: z.string(),
    caller: z.discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('iam'), principal: z.string() }),
      z.looseObject({
        kind: z.literal('token'),
        issuer: z.string(),
        subject: z.string(),
        claims: z.record(z.string(), z.array(z.string())),
      }),
    ]),
    idempotencyKey: z.string().exactOptional(),
    event: z
      .looseObject({ id: z.string(), source: z.string(), type: z.string(), subject: z.string().exactOptional() })
      .exactOptional(),
  }),
]);

const jar = z.looseObject({
  uri: z.string(),
  s3: z
    .looseObject({
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().exactOptional(),
      eTag: z.string().exactOptional(),
    })
    .exactOptional(),
  sha256: z.string().exactOptional(),
  pinned: z.looseObject({ bucket: z.string(), key: z.string(), sha256: z.string(), size: z.number() }).exactOptional(),
});

const session = z.looseObject({
  clusterId,
  pool: z
    .looseObject({
      name: z.string(),
      idleAfter: z.number(),
      flinkVersion: z.string(),
      options: texts,
      podTemplates,
      logConfiguration: texts.exactOptional(),
    })
    .exactOptional(),
});

const jobBase = {
  name: z.string(),
  target: z.string(),
  namespace: z.string(),
  flinkVersion: z.string(),
  options: texts,
  podTemplates,
  jar,
  entryClass: z.string().exactOptional(),
  args: z.array(z.string()),
  kind: z.enum(['batch', 'streaming']),
  state: statePlan.exactOptional(),
  deadlines: z.looseObject({
    start: z.number(),
    run: z.number().exactOptional(),
    main: z.number().exactOptional(),
  }),
  retry: z.looseObject({
    attempts: z.number(),
    backoff: z.number(),
    memory: z.looseObject({ factor: z.number(), limit: z.number() }).exactOptional(),
  }),
  concurrency: z
    .looseObject({ key: z.string(), policy: z.enum(['allow', 'forbid', 'replace', 'queue']) })
    .exactOptional(),
  afterEnd: z.looseObject({ keepCluster: z.enum(['never', 'on-failure', 'always']), ttl: z.number() }),
  fastStart: z.enum(['on', 'short']).exactOptional(),
  notify: z.array(z.string()),
  logConfiguration: texts.exactOptional(),
  notes: z.array(z.string()).exactOptional(),
};

export const jobSchema = z.discriminatedUnion('mode', [
  z.looseObject({ ...jobBase, mode: z.literal('application') }),
  z.looseObject({ ...jobBase, mode: z.literal('session'), session }),
  z.looseObject({ ...jobBase, mode: z.literal('standalone'), taskManagers: z.number().exactOptional() }),
]);
