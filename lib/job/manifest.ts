import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import { jobSpecSchema, type JobSpec } from './spec.ts';

const API_GROUP = 'flink.apache.org';

/** What is beside `spec`: only the name and the namespace concern a run; `status` is the operator's. */
const envelope = z.strictObject({
  apiVersion: z.literal(`${API_GROUP}/v1beta1`),
  kind: z.enum(['FlinkDeployment', 'FlinkSessionJob'], 'must be FlinkDeployment or FlinkSessionJob'),
  metadata: z.looseObject({ name: z.string().optional(), namespace: z.string().optional() }).optional(),
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
  const manifest = parseWith(envelope, value);
  const own = jobSpecSchema.omit({ name: true, namespace: true });
  const spec = manifest.kind === 'FlinkSessionJob' ? sessionJob(manifest.spec) : parseWith(own, manifest.spec, 'spec');
  if (spec.job === undefined) {
    throw new DispatchError('InvalidSpec', 'spec.job is missing: a session cluster is not what an event starts', {
      field: 'spec.job',
    });
  }
  const { name, namespace } = manifest.metadata ?? {};
  return { ...spec, ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) };
}

const sessionJobSpec = jobSpecSchema
  .pick({ job: true, flinkConfiguration: true, restartNonce: true })
  .extend({ deploymentName: z.string().min(1).max(45) });

function sessionJob(value: unknown): JobSpec {
  const { deploymentName, ...spec } = parseWith(sessionJobSpec, value, 'spec');
  return { ...spec, mode: 'session', session: { clusterId: deploymentName } };
}

const NONCES = [
  'savepointTriggerNonce',
  'checkpointTriggerNonce',
  'savepointRedeployNonce',
  'autoscalerResetNonce',
] as const;

/** What was accepted for the operator's sake and changes nothing here. */
export function notesOn(spec: JobSpec): readonly string[] {
  const nonces = NONCES.filter((key) => spec.job?.[key] !== undefined).map((key) => `job.${key}`);
  if (spec.restartNonce !== undefined) nonces.unshift('restartNonce');
  const notes = nonces.map((field) => `${field} has no effect: every run starts anew`);
  if (spec.job?.upgradeMode !== undefined && spec.job.upgradeMode !== 'stateless') {
    notes.push(`job.upgradeMode ${spec.job.upgradeMode}: the run begins from job.initialSavepointPath, if that is set`);
  }
  return notes;
}
