import * as z from 'zod';
import { bytes, duration } from '../spec/fields.ts';
import { parseQuantity } from '../spec/quantity.ts';

const text = z.string().min(1);
const globs = z.array(text);

/** A Kubernetes quantity, `64` or `100Gi`, as a number. */
const amount = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseQuantity(String(value));
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a Kubernetes quantity: 2 or 100Gi' });
  return z.NEVER;
});

/** What the pods of one run may take at most. Containers of the deployment's own templates are not counted. */
const maxResources = z.strictObject({
  /** Cores and bytes of one pod: all its containers, and what it keeps in memory volumes. */
  cpu: z.number().positive().default(8),
  memory: bytes.prefault('32g'),
  /** Any other resource of one pod, by Kubernetes' name; what is not named here may not be asked for. */
  others: z.record(text, amount).prefault({ 'ephemeral-storage': '100Gi' }),
  /** Containers of one pod, init containers included. */
  containers: z.int().positive().default(8),
  /** Bytes of all ephemeral volumes of one pod together. */
  ephemeralVolumes: bytes.prefault('100g'),
  parallelism: z.int().positive().default(128),
  taskManagers: z.int().positive().default(32),
});

/** Stars stay within a label of a host, a folder of an image, a side of a key; `**` goes further. */
export const allowList = z.strictObject({
  images: globs.default([]),
  serviceAccounts: globs.default([]),
  jarBuckets: globs.default([]),
  jarUriSchemes: z.array(z.enum(['local', 's3', 'https'])).default(['local', 's3']),
  jarUriHosts: globs.default([]),
  /**
   * Where the state of streams may be, as the dispatcher reads it and removes what is kept no longer: a bucket, or a folder of
   * one. No patterns.
   */
  stateStorage: z
    .array(
      z
        .string()
        .regex(
          /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^*?\s]*)?$/,
          'must be s3://bucket or s3://bucket/folder, without patterns',
        ),
    )
    .default([]),
  options: z.strictObject({ allow: globs.default([]), deny: globs.default([]) }).prefault({}),
  podTemplates: z.enum(['none', 'restricted', 'any']).default('restricted'),
  /** Secrets that a spec may mount or read, also to pull images. Those of other runs it never may. */
  secrets: globs.default([]),
  /** ConfigMaps that a spec may mount or read. Those of other runs it never may. */
  configMaps: globs.default([]),
  persistentVolumeClaims: globs.default([]),
  /** Of ephemeral volumes; one that names none has the cluster's default class. */
  storageClasses: globs.default([]),
  /** Keys that a spec may set on pods, Deployments and Services: meshes, vaults and networks act on them. */
  labels: globs.default([]),
  annotations: globs.default([]),
  /** Keys of node labels that a spec may ask for, by node selector or affinity. */
  nodeLabels: globs.default([
    'kubernetes.io/arch',
    'kubernetes.io/os',
    'node.kubernetes.io/instance-type',
    'topology.kubernetes.io/*',
  ]),
  /** Keys of taints that a spec may tolerate. */
  tolerations: globs.default([]),
  maxResources: maxResources.prefault({}),
  /** How long a pod may take to end; Kubernetes' own default is 30s. */
  maxTerminationGracePeriod: duration.prefault('5m'),
  notify: globs.default([]),
  /** Whether a request may name a task of Step Functions, which is told of the run's end. */
  taskTokens: z.boolean().default(false),
  /** Cluster-ids of sessions that a spec may name; pools need no leave. */
  sessions: globs.default([]),
});
