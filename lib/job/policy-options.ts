import type { AllowList } from './deployment.ts';
import { matchesAny } from './glob.ts';
import type { FlinkOptions } from './job.ts';
import type { Refusal } from './policy.ts';
import type { JobSpec } from './spec.ts';

/**
 * Never a user's to set, whatever the allow-list says: what the dispatcher decides, and what would make the dispatcher
 * itself read its own files or talk to another cluster.
 */
const RESERVED = [
  '$internal.*',
  'internal.*',
  'kubernetes.cluster-id',
  'kubernetes.namespace',
  'kubernetes.config.file',
  'kubernetes.context',
  'kubernetes.client.*',
  'kubernetes.pod-template-file*',
  'kubernetes.artifacts.*',
  'kubernetes.jobmanager.owner.reference',
  'execution.target',
  'pipeline.jars',
];

/** Refused unless `allow.options.allow` names them. */
const REFUSED = [
  'security.*',
  'kubernetes.hostnetwork.enabled',
  'kubernetes.hadoop.*',
  'kubernetes.decorator.*',
  'kubernetes.entry.path',
  'kubernetes.flink.*',
  'kubernetes.*.entrypoint.args',
  'kubernetes.rest-service.*',
  'kubernetes.internal-service.*',
  'kubernetes.persistent-volume-claim*',
  'env.*',
  'containerized.*',
  'pipeline.classpaths',
  'user.artifacts.*',
  'yarn.*',
];

/** Options that hold only names of Secrets: checked against `allow.secrets`. */
const SECRET_NAMES: Readonly<Record<string, (value: string) => readonly string[]>> = {
  'kubernetes.secrets': (value) => entries(value, /[,;]/).map((entry) => (entry.split(':')[0] ?? '').trim()),
  'kubernetes.container.image.pull-secrets': (value) => entries(value, /[;,]/),
  'kubernetes.env.secretKeyRef': (value) =>
    entries(value, ';').flatMap((entry) =>
      entries(entry, ',').flatMap((pair) => /^\s*secret\s*:(.*)$/i.exec(pair)?.[1]?.trim() ?? []),
    ),
};

/** The words by which Flink itself hides a value (GlobalConfiguration). */
const SENSITIVE =
  /password|secret|fs\.azure\.account\.key|apikey|api-key|auth-params|service-key|token|basic-auth|jaas\.config|http-headers|access[.-]?key/i;

const ROLE_ANNOTATION =
  /(^|[,;{"' ])(iam\.amazonaws\.com|eks\.amazonaws\.com|container\.apparmor\.security|container\.seccomp\.security|seccomp\.security)/i;

export function grantsRole(annotation: string): boolean {
  return ROLE_ANNOTATION.test(annotation);
}

/** @param asked the job's options without those that the deployment itself sets. */
export function checkOptions(asked: FlinkOptions, allow: AllowList, userSpecs: readonly JobSpec[]): Refusal[] {
  // Fields of the spec become options as well; they have rules of their own.
  const written = new Set(userSpecs.flatMap((spec) => Object.keys(spec.flinkConfiguration ?? {})));
  return [...written].flatMap((key) => {
    const value = asked[key];
    const message = refuse(key, value, allow);
    return message === undefined ? [] : [{ field: `flinkConfiguration[${JSON.stringify(key)}]`, message }];
  });
}

function refuse(key: string, value: string | undefined, allow: AllowList): string | undefined {
  if (matchesAny(RESERVED, key)) return 'is set by the dispatcher alone';
  if (value === undefined) return undefined;
  if (matchesAny(allow.options.deny, key)) return 'is not allowed (allow.options.deny)';
  if (Object.hasOwn(SECRET_NAMES, key)) return refuseSecrets(SECRET_NAMES[key]?.(value) ?? [], allow);
  if (matchesAny(allow.options.allow, key)) return undefined;
  if (matchesAny(REFUSED, key)) return 'is not allowed (allow.options.allow names what is)';
  if (key.endsWith('.annotations') && grantsRole(value)) return 'gives the pods another role, which is not allowed';
  if (SENSITIVE.test(key))
    return 'would put a secret into the run record: use kubernetes.env.secretKeyRef or kubernetes.secrets';
  return undefined;
}

function refuseSecrets(names: readonly string[], allow: AllowList): string | undefined {
  const refused = names.filter((name) => !matchesAny(allow.secrets, name));
  if (refused.length > 0) return `the secret ${refused.join(', ')} is not allowed (allow.secrets)`;
  return names.length === 0 ? 'names no secret' : undefined;
}

function entries(value: string, separator: string | RegExp): string[] {
  return value
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
