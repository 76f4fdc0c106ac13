import { createHash } from 'node:crypto';
import type { Brand } from './brand.ts';
import { DispatchError } from './errors.ts';

/** 20 lower-case hex digits: the hash of what makes a request itself. */
export type RunId = Brand<string, 'RunId'>;
/** 20 lower-case hex digits: the hash of a tenant, a target, a namespace and a name. */
export type DeploymentId = Brand<string, 'DeploymentId'>;
/** A Flink `kubernetes.cluster-id`: also the Deployment's name. */
export type ClusterId = Brand<string, 'ClusterId'>;
/** A Flink job id: 32 lower-case hex digits (org.apache.flink.api.common.JobID). */
export type JobId = Brand<string, 'JobId'>;

/** KubernetesOptions.CLUSTER_ID: the client refuses more (Constants.MAXIMUM_CHARACTERS_OF_CLUSTER_ID). */
export const MAX_CLUSTER_ID_LENGTH = 45;

const RUN_ID = /^[0-9a-f]{20}$/;
const JOB_ID = /^[0-9a-f]{32}$/;
/** RFC 1035 label: a Service's name must be one, and Flink names the Service after the cluster. */
const CLUSTER_ID = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** `identity` is whatever makes the request the same request when it is delivered again. */
export function runIdFor(identity: string): RunId {
  return sha256Hex(`run\n${identity}`).slice(0, 20) as RunId;
}

export function isRunId(text: string): text is RunId {
  return RUN_ID.test(text);
}

/** Of the stream of this name: the same for each of its runs. */
export function deploymentIdFor(place: {
  readonly tenant: string | undefined;
  readonly target: string;
  readonly namespace: string;
  readonly name: string;
}): DeploymentId {
  const { tenant, target, namespace, name } = place;
  const text = JSON.stringify(['deployment', tenant ?? null, target, namespace, name]);
  return sha256Hex(text).slice(0, 20) as DeploymentId;
}

export function isDeploymentId(text: string): text is DeploymentId {
  return RUN_ID.test(text);
}

export function isJobId(text: string): text is JobId {
  return JOB_ID.test(text);
}

/**
 * For an id that was read back: it was checked when it was made, and a stricter rule of a later version must not make what
 * was stored unreadable.
 */
export function isStoredClusterId(text: unknown): text is ClusterId {
  return typeof text === 'string' && text !== '';
}

/** @throws DispatchError `InvalidName`, naming the field `kubernetes.cluster-id`. */
export function parseClusterId(text: string): ClusterId {
  if (text.length > MAX_CLUSTER_ID_LENGTH || !CLUSTER_ID.test(text)) {
    throw new DispatchError(
      'InvalidName',
      `kubernetes.cluster-id '${text}' must be at most ${MAX_CLUSTER_ID_LENGTH} lower-case letters, digits and '-', ` +
        `beginning with a letter and ending with a letter or digit`,
      { field: 'kubernetes.cluster-id' },
    );
  }
  return text as ClusterId;
}

/** The cluster of one attempt: readable first, unique by run, different for every attempt. */
export function clusterIdFor(name: string, runId: RunId, attempt: number): ClusterId {
  const tail = `-${runId.slice(0, 10)}-${attempt}`;
  const head = name.slice(0, MAX_CLUSTER_ID_LENGTH - tail.length).replace(/-+$/, '');
  return parseClusterId(head + tail);
}

/** Fixed before the launch, so that a job is recognised whoever submitted it. */
export function jobIdFor(runId: RunId, attempt: number): JobId {
  return sha256Hex(`job\n${runId}\n${attempt}`).slice(0, 32) as JobId;
}
