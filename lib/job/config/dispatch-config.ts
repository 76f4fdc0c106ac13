import * as z from 'zod';
import { DispatchError } from '../../core/errors.ts';
import { parseWith } from '../../core/schema.ts';
import { parseObjectText } from '../../core/yaml.ts';
import { duration } from '../spec/fields.ts';
import { jobSpecSchema } from '../spec/spec.ts';
import { allowList } from './allow-list.ts';
import { bundleDelivery, registries } from './bundle-config.ts';
import { checkTenants } from './check-tenants.ts';
import { eventRule } from './event-rule.ts';
import { namespace, targetName } from './names.ts';
import { rule } from './rule-config.ts';
import { tenant, tenantName } from './tenant-config.ts';

const text = z.string().min(1);

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

/** What a deployment says of itself. Nothing is allowed that it does not allow. */
export const deploymentSchema = z.strictObject({
  targets: z.record(targetName, target).refine((targets) => Object.keys(targets).length > 0, 'must have a target'),
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
  /** Which stored job a CloudEvent runs; the first that matches. */
  events: z.array(eventRule).default([]),
  /** Of all requests where there are no tenants; with tenants each has its own. */
  allow: allowList.prefault({}),
  /** By name; none: one tenant, to whom everything belongs. */
  tenants: z.record(tenantName, tenant).default({}),
  registries,
});

export type DispatchConfig = z.output<typeof deploymentSchema>;
export type TargetConfig = DispatchConfig['targets'][string];
export type PoolConfig = DispatchConfig['sessions'][string];
export type AllowList = DispatchConfig['allow'];

/** @throws DispatchError `MalformedRequest` or `InvalidConfiguration`, naming the field */
export function parseDispatchConfig(source: string, what = 'the deployment configuration'): DispatchConfig {
  const given = parseObjectText(source, what);
  const config = parseWith(deploymentSchema, given, '', 'InvalidConfiguration');
  if ('tenants' in given && 'allow' in given)
    throw invalid('allow', 'must be left out beside tenants: each tenant has its own, tenants.<name>.allow');
  const [wrong] = checkTenants(config);
  if (wrong !== undefined) throw invalid(wrong.field, wrong.message);
  return config;
}

function invalid(field: string, message: string): DispatchError {
  return new DispatchError('InvalidConfiguration', `${field} ${message}`, { field });
}

/** Every prefix in which the state of some job may be. */
export function stateStorageOf({ allow, tenants }: DispatchConfig): readonly string[] {
  const lists = [allow, ...Object.values(tenants).map((tenant) => tenant.allow)];
  return [...new Set(lists.flatMap(({ stateStorage }) => stateStorage))];
}

/** Every namespace in which a target's runs may be. */
export function namespacesOf(config: TargetConfig): readonly string[] {
  return [...new Set([config.namespace, ...config.namespaces])];
}
