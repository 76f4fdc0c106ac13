import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { unknownPodFields } from './pod-fields.ts';
import { asPodModel } from '../../flink/native/pod-model.ts';
import { bytes, cpu, cronExpression, duration, memory, quantity, storage, timeZone } from './fields.ts';
import { defined } from '../../core/defined.ts';
import { flattenOptions, FlattenError } from './flatten.ts';
import { parseFlinkVersion, FLINK_VERSIONS } from './flink-version.ts';

/** The reason that a `user` error carries for an issue of this code; InvalidSpec for all others. */
const REASON_PARAM = 'reason';

const text = z.string().min(1).max(2048);

/** YAML 1.1, which kubectl reads, has more words for a boolean. */
const flag = z.preprocess(
  (value) =>
    typeof value !== 'string' ? value : /^(yes|on)$/i.test(value) ? true : /^(no|off)$/i.test(value) ? false : value,
  z.boolean(),
);

const flinkVersion = z.union([z.string(), z.number()]).transform((value, context) => {
  const version = typeof value === 'string' ? parseFlinkVersion(value) : undefined;
  if (version !== undefined) return version;
  // YAML reads 1.20 as the number 1.2.
  const quote = typeof value === 'number' ? ' (in quotes: YAML reads 1.20 as 1.2)' : '';
  context.addIssue({
    code: 'custom',
    message: `must be one of ${FLINK_VERSIONS.join(', ')}, as v1_20, '1.20' or '1.20.0'${quote}`,
    params: { [REASON_PARAM]: 'UnsupportedFlinkVersion' },
  });
  return z.NEVER;
});

const flinkConfiguration = z.record(z.string().max(512), z.unknown()).transform((value, context) => {
  try {
    return flattenOptions(value);
  } catch (error) {
    if (!(error instanceof FlattenError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path: [error.key] });
    return z.NEVER;
  }
});

const podFields = z
  .strictObject({
    apiVersion: z.literal('v1').optional(),
    kind: z.enum(['Pod', 'PodTemplate']).optional(),
    metadata: z.looseObject({}).optional(),
    spec: z.looseObject({ containers: z.array(z.looseObject({ name: text })).optional() }).optional(),
    status: z.unknown().optional(),
  })
  .superRefine(({ metadata, spec }, context) => {
    for (const { path, message } of unknownPodFields(defined({ metadata, spec })))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform(({ metadata, spec }) => defined({ metadata, spec }) as unknown as V1PodTemplateSpec);

/** Each scalar as the model of a pod has it, before anything is decided by it. */
const podTemplate = z.preprocess((value) => asPodModel(value), podFields);

/** Memory is Flink's as well as Kubernetes', and `2048m` means MiB there. */
const amounts = z.record(z.string(), quantity).superRefine((values, context) => {
  const size = values['ephemeral-storage'];
  const parsed = size === undefined ? undefined : storage.safeParse(size);
  for (const { message } of parsed?.error?.issues ?? [])
    context.addIssue({ code: 'custom', path: ['ephemeral-storage'], message });
});
const component = {
  resource: z
    .strictObject({ cpu: cpu.optional(), memory: memory.optional(), ephemeralStorage: storage.optional() })
    .optional(),
  resources: z.strictObject({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
  replicas: z.int().min(1).max(10_000).optional(),
  podTemplate: podTemplate.optional(),
};

/** The operator's: nothing is made of it. */
const ingress = z.strictObject({
  template: z.string().max(2048).optional(),
  className: z.string().max(253).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  tls: z.array(z.looseObject({})).optional(),
});
/** The operator's triggers: a number that has changed asks a deployment for one act, and means nothing for a run. */
const nonce = z.number().optional();

const savepointFormat = z.preprocess(
  (value) => (typeof value === 'string' ? value.toUpperCase() : value),
  z.enum(['CANONICAL', 'NATIVE'], 'must be canonical or native'),
);

const program = z.strictObject({
  jarURI: text.optional(),
  jarSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits')
    .toLowerCase()
    .optional(),
  entryClass: z
    .string()
    .regex(/^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$/u, 'must be a Java class name')
    .max(512)
    .optional(),
  args: z.array(z.string('must be text: put it in quotes')).max(1000).optional(),
  parallelism: z.int().min(1).max(32_768).optional(),
  upgradeMode: z.enum(['stateless', 'savepoint', 'last-state']).optional(),
  initialSavepointPath: text.optional(),
  allowNonRestoredState: flag.optional(),
  kind: z.enum(['batch', 'streaming']).optional(),
  state: z.enum(['running', 'suspended']).optional(),
  fallback: z.enum(['none', 'last-state']).optional(),
  savepointFormat: savepointFormat.optional(),
  savepointDeadline: duration.optional(),
  savepointInterval: duration.optional(),
  savepointSchedule: z.strictObject({ cron: cronExpression, timeZone: timeZone.optional() }).optional(),
  prepareUpgrade: flag.optional(),
  checkState: flag.optional(),
  autoscale: z
    .strictObject({
      min: z.int().min(2).max(32_768),
      max: z.int().min(2).max(32_768),
      targetUtilization: z.number().min(0.1).max(0.9).optional(),
      stabilizationWindow: duration.optional(),
    })
    .optional(),
  savepointHistory: z.strictObject({ count: z.int().min(1).max(1000).optional(), age: duration.optional() }).optional(),
  maxCheckpointAge: duration.optional(),
  probation: duration.optional(),
  rollback: z.enum(['automatic', 'manual']).optional(),
  savepointTriggerNonce: nonce,
  checkpointTriggerNonce: nonce,
  savepointRedeployNonce: nonce,
  autoscalerResetNonce: nonce,
});

/** The locks of deployments are among those of concurrency keys. */
export const DEPLOYMENT_KEY = 'deployment:';
const concurrencyKey = text
  .max(256)
  .refine(
    (key) => !key.startsWith(DEPLOYMENT_KEY),
    `must not begin with ${DEPLOYMENT_KEY}, as the dispatcher's own do`,
  );

/**
 * The user's contract, in the words of the FlinkDeployment resource (flink.apache.org/v1beta1) and of the dispatcher.
 * Every field is optional, because each layer gives a part; durations come out in milliseconds, `flinkConfiguration` flat.
 */
export const jobSpecSchema = z.strictObject({
  name: z.string().max(253).optional(),
  namespace: text.max(63).optional(),
  target: text.max(63).optional(),
  mode: z
    .enum(
      ['application', 'native', 'session', 'standalone'],
      'must be application, for a cluster of its own, session, for a job into a session cluster, or standalone',
    )
    .optional(),
  session: z.strictObject({ clusterId: text.max(45).optional(), pool: text.max(63).optional() }).optional(),
  image: text.max(512).optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  flinkVersion: flinkVersion.optional(),
  serviceAccount: text.max(253).optional(),
  flinkConfiguration: flinkConfiguration.optional(),
  logConfiguration: z
    .strictObject({ 'log4j-console.properties': z.string().optional(), 'logback-console.xml': z.string().optional() })
    .optional(),
  podTemplate: podTemplate.optional(),
  jobManager: z.strictObject(component).optional(),
  taskManager: z.strictObject(component).optional(),
  job: program.optional(),
  ingress: ingress.optional(),
  restartNonce: nonce,
  deadlines: z
    .strictObject({ start: duration.optional(), run: duration.optional(), main: duration.optional() })
    .optional(),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(100).optional(),
      backoff: duration.optional(),
      memory: z.strictObject({ factor: z.number().min(1.1).max(4).optional(), limit: bytes }).optional(),
    })
    .optional(),
  concurrency: z
    .strictObject({
      key: concurrencyKey.optional(),
      policy: z.enum(['allow', 'forbid', 'replace', 'queue']).optional(),
    })
    .optional(),
  afterEnd: z
    .strictObject({ keepCluster: z.enum(['never', 'on-failure', 'always']).optional(), ttl: duration.optional() })
    .optional(),
  fastStart: z.union([flag, z.literal('short')], 'must be true, false or short').optional(),
  notify: z.array(text).max(10).optional(),
});

export type JobSpec = z.output<typeof jobSpecSchema>;
export type ComponentSpec = NonNullable<JobSpec['jobManager']>;
