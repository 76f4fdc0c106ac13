import * as z from 'zod';
import { parseObjectText } from '../core/yaml.ts';
import type { RunSource } from '../trigger/request.ts';
import { bundleDelivery, registries } from './bundle-config.ts';
import { parseDuration } from './duration.ts';
import { matchesGlob } from './glob.ts';
import { parseFlinkMemory, toFlinkMemory } from './quantity.ts';
import { parseWith } from '../core/schema.ts';
import { jobSpecSchema, type JobSpec } from './spec.ts';

const text = z.string().min(1);
const globs = z.array(text);

const duration = z.string().transform((value, context) => {
  const parsed = parseDuration(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a duration with a unit: 90s, 10m, 6h' });
  return z.NEVER;
});

const bytes = z.string().transform((value, context) => {
  const parsed = parseFlinkMemory(toFlinkMemory(value) ?? '');
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a memory size: 8g or 8Gi' });
  return z.NEVER;
});

const access = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kubeconfig'), path: text, context: text.optional() }),
  z.strictObject({ kind: z.literal('in-cluster') }),
  z.strictObject({
    kind: z.literal('eks'),
    cluster: text,
    region: text,
    endpoint: z.url({ protocol: /^https$/ }),
    certificateAuthorityData: z.base64().min(1),
  }),
  z.strictObject({ kind: z.literal('secret'), arn: text }),
]);

const namespace = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace: lower-case letters, digits and hyphens');

/** How long a signed URL is good; S3 signs for a week at most. */
const urlTtl = duration
  .refine((ttl) => ttl >= 60_000 && ttl <= 7 * 24 * 60 * 60_000, 'must be 1m to 7d')
  .prefault('6h');

/** How the jar of a run reaches its pods: what the network and the registry of a target allow, so no job may choose. */
const jarDelivery = z.discriminatedUnion('kind', [
  /** Flink fetches it, with a signed URL; with `s3Plugin`, a filesystem of the image, from S3 with the pod's own rights. */
  z.strictObject({ kind: z.literal('fetch'), urlTtl, s3Plugin: z.enum(['hadoop', 'presto']).optional() }),
  /** An init container puts it into `usrlib`; `image` is that container's, default: the job's own. */
  z.strictObject({ kind: z.literal('mount'), urlTtl, image: text.optional() }),
  bundleDelivery,
]);

const target = z.strictObject({
  /** Where a run goes that names none. */
  namespace,
  /** Further namespaces that a spec may name; the sweeper looks into all of them. */
  namespaces: z.array(namespace).default([]),
  access,
  rest: z
    .strictObject({ kind: z.enum(['service-proxy', 'service-dns', 'node-port', 'load-balancer']) })
    .prefault({ kind: 'service-proxy' }),
  jarDelivery: jarDelivery.prefault({ kind: 'fetch' }),
  defaults: jobSpecSchema.optional(),
});

/** A session that the first job which names it starts; its fields are those of a job spec that concern the cluster. */
const pool = jobSpecSchema
  .pick({
    ...{ image: true, imagePullPolicy: true, flinkVersion: true, serviceAccount: true, flinkConfiguration: true },
    ...{ logConfiguration: true, podTemplate: true, jobManager: true, taskManager: true },
  })
  .extend({ idleAfter: duration.prefault('10m') });

const rule = z.strictObject({
  match: z
    .strictObject({ bucket: text.optional(), key: text.optional(), job: text.optional() })
    .refine((match) => Object.keys(match).length > 0, 'must name a bucket, a key or a job'),
  spec: jobSpecSchema,
});

const allow = z.strictObject({
  images: globs.default([]),
  serviceAccounts: globs.default([]),
  jarBuckets: globs.default([]),
  jarUriSchemes: z.array(z.enum(['local', 's3', 'https'])).default(['local', 's3']),
  jarUriHosts: globs.default([]),
  options: z.strictObject({ allow: globs.default([]), deny: globs.default([]) }).prefault({}),
  podTemplates: z.enum(['none', 'restricted', 'any']).default('restricted'),
  /** Secrets that a spec may mount or read, also to pull images. */
  secrets: globs.default([]),
  persistentVolumeClaims: globs.default([]),
  maxResources: z
    .strictObject({
      /** Cores and bytes of one pod. */
      cpu: z.number().positive().default(8),
      memory: bytes.prefault('32g'),
      parallelism: z.int().positive().default(128),
      taskManagers: z.int().positive().default(32),
    })
    .prefault({}),
  notify: globs.default([]),
  /** Cluster-ids of sessions that a spec may name; pools need no leave. */
  sessions: globs.default([]),
});

/** What a deployment says of itself. Nothing is allowed that it does not allow. */
export const deploymentSchema = z.strictObject({
  targets: z
    .record(z.string().regex(/^[A-Za-z0-9._-]{1,63}$/), target)
    .refine((targets) => Object.keys(targets).length > 0, 'must have a target'),
  defaults: jobSpecSchema.prefault({}),
  /** Pools by name. */
  sessions: z
    .record(
      z
        .string()
        .regex(/^[a-z]([-a-z0-9]{0,34}[a-z0-9])?$/, 'must be at most 36 lower-case letters, digits and hyphens'),
      pool,
    )
    .default({}),
  rules: z.array(rule).default([]),
  allow: allow.prefault({}),
  registries,
});

export type Deployment = z.output<typeof deploymentSchema>;
export type TargetConfig = Deployment['targets'][string];
export type PoolConfig = Deployment['sessions'][string];
export type AllowList = Deployment['allow'];

/** @throws DispatchError `MalformedRequest` or `InvalidConfiguration`, naming the field */
export function parseDeployment(source: string, what = 'the deployment configuration'): Deployment {
  return parseWith(deploymentSchema, parseObjectText(source, what), '', 'InvalidConfiguration');
}

/** Every namespace in which a target's runs may be. */
export function namespacesOf(config: TargetConfig): readonly string[] {
  return [...new Set([config.namespace, ...config.namespaces])];
}

export interface LayersInput {
  /** Lowest first. */
  readonly user: readonly JobSpec[];
  readonly source: RunSource;
  readonly storedJob: string | undefined;
}

/**
 * The layers, lowest first: the deployment's defaults, those of the target, every rule that matches in its order; then
 * the user's. The target is the one that all other layers name.
 */
export function layersFor(
  deployment: Deployment,
  input: LayersInput,
): { trusted: readonly JobSpec[]; user: readonly JobSpec[] } {
  const rules = deployment.rules.filter(({ match }) => matches(match, input)).map(({ spec }) => spec);
  const named =
    [deployment.defaults, ...rules, ...input.user].findLast((spec) => spec.target !== undefined)?.target ?? 'default';
  const config = Object.hasOwn(deployment.targets, named) ? deployment.targets[named] : undefined;
  return { trusted: [deployment.defaults, ...(config?.defaults ? [config.defaults] : []), ...rules], user: input.user };
}

/** All that a rule names must match; a rule on buckets or keys matches uploads alone. */
function matches(match: Deployment['rules'][number]['match'], { source, storedJob, user }: LayersInput): boolean {
  const upload = source.kind === 'jar-upload' ? source : undefined;
  const job = storedJob ?? user.findLast((spec) => spec.name !== undefined)?.name;
  return fits(match.bucket, upload?.bucket) && fits(match.key, upload?.key) && fits(match.job, job);
}

function fits(pattern: string | undefined, value: string | undefined): boolean {
  return pattern === undefined || (value !== undefined && matchesGlob(pattern, value));
}
