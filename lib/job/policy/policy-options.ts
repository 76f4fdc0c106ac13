import type { AllowList } from '../config/dispatch-config.ts';
import { findOption } from '../../flink/options/catalogue.ts';
import { namesOf } from '../../flink/config/old-names.ts';
import { matchesAny } from './glob.ts';
import type { FlinkOptions } from '../job.ts';
import type { Refusal } from './refusal.ts';
import type { JobSpec } from '../spec/spec.ts';

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
  // they take the place of the limit on slots
  'slotmanager.max-total-resource.*',
  'yarn.*',
];

/** What is read off the built objects, whichever way the option is written. */
const OF_OBJECTS = ['kubernetes.secrets*', 'kubernetes.env.secretKeyRef', 'kubernetes.container.image.*'];
const JUDGED = [...OF_OBJECTS, 'kubernetes.persistent-volume-claim*'];

/** What an allowed option may put onto objects without a further look: annotations, labels, node labels, tolerations. */
const MARKS = /^kubernetes\.[a-z-]+\.(annotations|labels|node-selector|tolerations)(\.|$)/;

/** The option is allowed by the deployment as it is: what it makes of the objects is its own. */
export function isFreed(key: string, allow: AllowList): boolean {
  if (named(RESERVED, key) || named(JUDGED, key) || named(allow.options.deny, key)) return false;
  return named(allow.options.allow, key) && (named(REFUSED, key) || MARKS.test(key));
}

/** The words by which Flink itself hides a value (GlobalConfiguration). */
const SENSITIVE =
  /password|secret|fs\.azure\.account\.key|apikey|api-key|auth-params|service-key|token|basic-auth|jaas\.config|http-headers|access[.-]?key/i;

/** @param asked the job's options without those that the deployment itself sets. */
export function checkOptions(asked: FlinkOptions, allow: AllowList, userSpecs: readonly JobSpec[]): Refusal[] {
  // Fields of the spec become options as well; they have rules of their own.
  const written = new Set(userSpecs.flatMap((spec) => Object.keys(spec.flinkConfiguration ?? {})));
  return [...written].flatMap((key) => {
    const message = refuseOption(key, askedAs(key, asked), allow);
    return message === undefined ? [] : [{ field: `flinkConfiguration[${JSON.stringify(key)}]`, message }];
  });
}

/** The value under today's name, which the options of a job have. */
function askedAs(key: string, asked: FlinkOptions): string | undefined {
  return namesOf(key).flatMap((name) => asked[name] ?? [])[0];
}

/** Why a key is not a user's to set, or undefined. @param value as text; it is never part of the answer */
export function refuseOption(key: string, value: string | undefined, allow: AllowList): string | undefined {
  if (named(RESERVED, key)) return 'is set by the dispatcher alone';
  if (value === undefined) return undefined;
  if (named(allow.options.deny, key)) return 'is not allowed (allow.options.deny)';
  if (named(OF_OBJECTS, key)) return undefined;
  if (named(allow.options.allow, key)) return undefined;
  if (named(REFUSED, key)) return 'is not allowed (allow.options.allow names what is)';
  if (key.startsWith('kubernetes.') && !key.startsWith('kubernetes.operator.') && findOption(key) === undefined)
    return 'is no known option of Flink, and not allowed (allow.options.allow names what is)';
  if (SENSITIVE.test(key))
    return 'would put a secret into the run record: use kubernetes.env.secretKeyRef or kubernetes.secrets';
  return undefined;
}

/** By any of the option's names. */
function named(globs: readonly string[], key: string): boolean {
  return namesOf(key).some((name) => matchesAny(globs, name));
}
