import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { parseWith } from '../../core/schema.ts';
import { operatorNotes } from './operator-options.ts';
import { jobSpecSchema, type JobSpec } from './spec.ts';

const API_GROUP = 'flink.apache.org';

/** The fields of Kubernetes' ObjectMeta; two of them concern a run. */
const OBJECT_META = [
  'annotations',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'labels',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
] as const;
const metadata = z.strictObject({
  ...Object.fromEntries(OBJECT_META.map((field) => [field, z.unknown().optional()])),
  name: z.string().optional(),
  namespace: z.string().optional(),
});

/** What is beside `spec`: only the name and the namespace concern a run; `status` is the operator's. */
const envelope = z.strictObject({
  apiVersion: z.literal(`${API_GROUP}/v1beta1`),
  kind: z.enum(['FlinkDeployment', 'FlinkSessionJob'], 'must be FlinkDeployment or FlinkSessionJob'),
  metadata: metadata.optional(),
  spec: z.looseObject({}),
  status: z.unknown().optional(),
});

/**
 * A job spec, or a FlinkDeployment or FlinkSessionJob resource as the Flink Kubernetes operator takes it.
 * @throws DispatchError `InvalidSpec`, `UnsupportedFlinkVersion`, `MalformedRequest`
 */
export function parseManifestOrSpec(value: unknown): JobSpec {
  if (!isRecord(value)) throw new DispatchError('MalformedRequest', 'a job spec must be an object');
  if (!('kind' in value) && !('apiVersion' in value)) return parseWith(jobSpecSchema, value);
  checkKind(value);
  const manifest = parseWith(envelope, value);
  const own = jobSpecSchema.omit({ name: true, namespace: true });
  const spec = manifest.kind === 'FlinkSessionJob' ? sessionJob(manifest.spec) : parseWith(own, manifest.spec, 'spec');
  if (spec.job === undefined) {
    throw new DispatchError('InvalidSpec', `spec.job is missing: ${NO_SESSION}`, { field: 'spec.job' });
  }
  const { name, namespace } = manifest.metadata ?? {};
  return { ...spec, ...defined({ name, namespace }) };
}

const NO_SESSION =
  "a session cluster is not what an event starts. Describe it under `sessions` of the deployment's configuration, and name it as session.pool in a job, or as deploymentName in a FlinkSessionJob";

const INSTEAD: Readonly<Record<string, string>> = {
  FlinkBlueGreenDeployment: ': send its spec.template.spec as the spec of a FlinkDeployment',
  FlinkStateSnapshot:
    ': a savepoint is asked for with `{ savepointRun: <run id> }`, and a job that starts from one says job.initialSavepointPath',
  HorizontalPodAutoscaler:
    ': a stream is scaled by its spec with another job.parallelism, or with `flink-dispatch deployments scale`',
};
/** Of Kubernetes and of others. */
const APPLIED = ': kubectl applies it, and a spec names what it makes';

/** Before all else is looked at: other kinds have other fields. */
function checkKind({ kind, spec }: Record<string, unknown>): void {
  if (kind === 'FlinkDeployment' || kind === 'FlinkSessionJob') {
    if (spec !== undefined && spec !== null) return;
    throw new DispatchError('InvalidSpec', `spec is missing: the ${kind} does not say what to run`, { field: 'spec' });
  }
  if (typeof kind !== 'string') return;
  const instead = Object.hasOwn(INSTEAD, kind) ? (INSTEAD[kind] ?? '') : APPLIED;
  throw new DispatchError('InvalidSpec', `kind must be FlinkDeployment or FlinkSessionJob, not ${kind}${instead}`, {
    field: 'kind',
  });
}

const sessionJobSpec = jobSpecSchema
  .pick({ job: true, flinkConfiguration: true, restartNonce: true })
  .extend({ deploymentName: z.string().min(1).max(45) });

function sessionJob(value: unknown): JobSpec {
  const { deploymentName, ...spec } = parseWith(sessionJobSpec, value, 'spec');
  // A pool of that name, where the configuration has one.
  return { ...spec, mode: 'session', session: { clusterId: deploymentName, pool: deploymentName } };
}

const NONCES = [
  'savepointTriggerNonce',
  'checkpointTriggerNonce',
  'savepointRedeployNonce',
  'autoscalerResetNonce',
] as const;

/** What was accepted for the operator's sake and changes nothing here; `keepsState`: of a stream that a deployment owns. */
export function notesOn(spec: JobSpec, keepsState: boolean): readonly string[] {
  const ingress = 'ingress has no effect: no Ingress is made. `flink-dispatch ui` shows the web UI of a cluster';
  return [...(spec.ingress === undefined ? [] : [ingress]), ...notesOnState(spec, keepsState)];
}

function notesOnState(spec: JobSpec, keepsState: boolean): readonly string[] {
  if (keepsState) return [...notesOnStream(spec), ...operatorNotes(spec.flinkConfiguration, true)];
  const nonces = NONCES.filter((key) => spec.job?.[key] !== undefined).map((key) => `job.${key}`);
  if (spec.restartNonce !== undefined) nonces.unshift('restartNonce');
  const notes = nonces.map((field) => `${field} has no effect: every run starts anew`);
  if (spec.job?.upgradeMode !== undefined && spec.job.upgradeMode !== 'stateless') {
    notes.push(`job.upgradeMode ${spec.job.upgradeMode}: the run begins from job.initialSavepointPath, if that is set`);
  }
  return [...notes, ...operatorNotes(spec.flinkConfiguration)];
}

function notesOnStream({ job, concurrency, afterEnd }: JobSpec): readonly string[] {
  const notes: string[] = [];
  if (job?.autoscalerResetNonce !== undefined) {
    notes.push('job.autoscalerResetNonce has no effect: there is no autoscaler');
  }
  if (concurrency !== undefined && Object.keys(concurrency).length > 0) {
    notes.push('concurrency has no effect: a deployment has one run at a time');
  }
  if (afterEnd?.keepCluster !== undefined && afterEnd.keepCluster !== 'never') {
    notes.push('afterEnd has no effect: the next run of a deployment begins when nothing of the last one is left');
  }
  return notes;
}
