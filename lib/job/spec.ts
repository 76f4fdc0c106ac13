import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { parseDuration } from './duration.ts';
import { flattenOptions, FlattenError } from './flatten.ts';
import { parseFlinkVersion, FLINK_VERSIONS } from './flink-version.ts';
import { parseQuantity, toFlinkMemory } from './quantity.ts';

/** The reason that a `user` error carries for an issue of this code; InvalidSpec for all others. */
export const REASON_PARAM = 'reason';

const text = z.string().min(1).max(2048);

const duration = z
  .string('must be a duration with a unit, in quotes where YAML needs them: 90s, 10m, 1h, PT1H30M')
  .transform((value, context) => {
    const parsed = parseDuration(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({
      code: 'custom',
      message: 'must be a duration with a unit, up to a year: 90s, 10m, 1h, PT1H30M',
    });
    return z.NEVER;
  });

const cpu = z
  .union([z.number(), z.string()], 'must be a number of cores: 1, 0.5 or 500m')
  .transform((value, context) => {
    const cores = typeof value === 'number' ? value : parseQuantity(value);
    if (cores !== undefined && cores > 0 && cores <= 1024) return cores;
    context.addIssue({ code: 'custom', message: 'must be a number of cores: 1, 0.5 or 500m' });
    return z.NEVER;
  });

const memory = z.string('must be a memory size with a unit: 2048m, 2g or 2Gi').transform((value, context) => {
  const size = toFlinkMemory(value);
  if (size !== undefined) return size;
  context.addIssue({ code: 'custom', message: 'must be a memory size: 2048m, 2g or 2Gi' });
  return z.NEVER;
});

const quantity = z.union([z.string(), z.number()]).transform((value, context) => {
  if (parseQuantity(String(value)) !== undefined) return String(value);
  context.addIssue({ code: 'custom', message: 'must be a Kubernetes quantity: 500m, 2Gi' });
  return z.NEVER;
});

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

const podTemplate = z
  .strictObject({
    apiVersion: z.literal('v1').optional(),
    kind: z.enum(['Pod', 'PodTemplate']).optional(),
    metadata: z.looseObject({}).optional(),
    spec: z.looseObject({ containers: z.array(z.looseObject({ name: text })).optional() }).optional(),
    status: z.unknown().optional(),
  })
  .transform(
    ({ metadata, spec }) => ({ ...(metadata && { metadata }), ...(spec && { spec }) }) as unknown as V1PodTemplateSpec,
  );

const amounts = z.record(z.string(), quantity);
const component = {
  resource: z
    .strictObject({ cpu: cpu.optional(), memory: memory.optional(), ephemeralStorage: quantity.optional() })
    .optional(),
  resources: z.strictObject({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
  replicas: z.int().min(1).max(10_000).optional(),
  podTemplate: podTemplate.optional(),
};

const refused = (why: string) => z.never({ error: why }).optional();
/** The operator's triggers: they mean something for a resource that stays, nothing for a run. */
const nonce = z.number().optional();

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
  allowNonRestoredState: z.boolean().optional(),
  kind: z.enum(['batch', 'streaming']).optional(),
  state: z.literal('running', 'must be running: a run that is not wanted is not asked for').optional(),
  savepointTriggerNonce: nonce,
  checkpointTriggerNonce: nonce,
  savepointRedeployNonce: nonce,
  autoscalerResetNonce: nonce,
});

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
  ingress: refused('is not supported: a run is reached through the access that its target configures'),
  restartNonce: nonce,
  deadlines: z.strictObject({ start: duration.optional(), run: duration.optional() }).optional(),
  retry: z.strictObject({ attempts: z.int().min(1).max(100).optional(), backoff: duration.optional() }).optional(),
  concurrency: z
    .strictObject({ key: text.max(256).optional(), policy: z.enum(['allow', 'forbid', 'replace', 'queue']).optional() })
    .optional(),
  afterEnd: z
    .strictObject({ keepCluster: z.enum(['never', 'on-failure', 'always']).optional(), ttl: duration.optional() })
    .optional(),
  notify: z.array(text).max(10).optional(),
});

export type JobSpec = z.output<typeof jobSpecSchema>;
export type ComponentSpec = NonNullable<JobSpec['jobManager']>;
