import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { parseClusterId, sha256Hex, type ClusterId } from '../core/ids.ts';
import { canonicalJson } from '../core/json.ts';
import { omit } from '../core/omit.ts';
import type { DispatchConfig, PoolConfig, TargetConfig } from './config/dispatch-config.ts';
import { exposure } from './config/exposure.ts';
import type { ApplicationJob, Jar, JobSession, PoolPlan, ResolvedJob, SessionJob, StandaloneJob } from './job.ts';
import { mergeLayers } from './spec/layers.ts';
import { optionsOf } from './spec/options.ts';
import { podTemplatesOf } from './spec/pod-template.ts';
import type { JobSpec } from './spec/spec.ts';

type ModeOfJob =
  Pick<ApplicationJob, 'mode'> | Pick<SessionJob, 'mode' | 'session'> | Pick<StandaloneJob, 'mode' | 'taskManagers'>;

/**
 * The mode of a job, and its session where it has one. `session` alone says the mode.
 * @throws DispatchError `InvalidSpec`, `InvalidName`
 */
export function modeOf(
  spec: JobSpec,
  target: TargetConfig,
  { jar, deployment }: { readonly jar: Jar; readonly deployment: DispatchConfig },
): ModeOfJob {
  const mode = spec.mode ?? (spec.session === undefined ? 'application' : 'session');
  // In a native cluster the number is the parallelism's alone.
  if (mode === 'standalone') return { mode, ...defined({ taskManagers: spec.taskManager?.replicas }) };
  if (mode !== 'session') return { mode: 'application' };
  if (jar.s3 === undefined) {
    throw invalid('job.jarURI', 'must begin with s3:// in mode session: the dispatcher uploads the jar to the session');
  }
  return { mode, session: sessionOf(spec, target, deployment) };
}

function sessionOf({ session = {} }: JobSpec, target: TargetConfig, deployment: DispatchConfig): JobSession {
  const { clusterId, pool } = session;
  if (clusterId === pool ? pool === undefined : clusterId !== undefined && pool !== undefined) {
    throw invalid('session', 'must name either a clusterId or a pool in mode session');
  }
  const config = Object.hasOwn(deployment.sessions, pool ?? '') ? deployment.sessions[pool ?? ''] : undefined;
  // Both are the deploymentName of a FlinkSessionJob.
  if (clusterId !== undefined && config === undefined) return { clusterId: clusterIdOf(clusterId) };
  if (config === undefined || pool === undefined) {
    const known = Object.keys(deployment.sessions).join(', ') || 'none';
    throw invalid('session.pool', `'${pool}' is not configured: there are ${known}`);
  }
  const plan = planPool(pool, config, target, deployment);
  return { clusterId: poolClusterId(plan), pool: plan };
}

function clusterIdOf(text: string): ClusterId {
  try {
    return parseClusterId(text);
  } catch (cause) {
    throw new DispatchError('InvalidName', `session.clusterId '${text}' is no cluster-id of Flink`, {
      field: 'session.clusterId',
      cause,
    });
  }
}

/** The deployment's and the target's defaults hold for its pools, save what they say of a job. */
function planPool(name: string, config: PoolConfig, target: TargetConfig, deployment: DispatchConfig): PoolPlan {
  const { idleAfter, ...own } = config;
  const spec = omit(mergeLayers([deployment.defaults, target.defaults ?? {}, own]), 'job');
  const { flinkVersion } = spec;
  if (flinkVersion === undefined) throw invalid(`sessions.${name}.flinkVersion`, 'is missing, and has no default');
  const options = omit(optionsOf(spec, name), 'pipeline.name');
  if (options['kubernetes.container.image.ref'] === undefined)
    throw invalid(`sessions.${name}.image`, 'is missing, and has no default');
  const logs = Object.entries(spec.logConfiguration ?? {}).flatMap(([file, text]) =>
    text === undefined ? [] : [[file, text] as const],
  );
  return {
    name,
    idleAfter,
    flinkVersion,
    options: { ...exposure(target), ...options },
    podTemplates: podTemplatesOf(spec),
    ...(logs.length > 0 && { logConfiguration: Object.fromEntries(logs) }),
  };
}

/** Another plan is another session, so that a change of the deployment never meets what runs. */
function poolClusterId(pool: PoolPlan): ClusterId {
  const plan = omit(pool, 'idleAfter');
  return parseClusterId(`${plan.name}-${sha256Hex(canonicalJson(plan)).slice(0, 8)}`);
}

const OF_A_CLUSTER = [
  'image',
  'imagePullPolicy',
  'serviceAccount',
  'podTemplate',
  'logConfiguration',
  'jobManager',
  'taskManager',
] as const;

/** What people wrote for a job in a session that only a cluster of its own could follow. */
export function sessionNotes(job: ResolvedJob, userSpecs: readonly JobSpec[]): readonly string[] {
  if (job.mode !== 'session') return [];
  const fields = OF_A_CLUSTER.filter((field) => userSpecs.some((spec) => field in spec));
  const notes = fields.map((field) => `${field} has no effect in mode session: the session has its own`);
  const pool = job.session.pool?.name;
  if (pool === undefined || !userSpecs.some(({ session }) => session?.clusterId === pool)) return notes;
  return [...notes, `deploymentName ${pool} is the pool sessions.${pool} of the configuration, and no FlinkDeployment`];
}

/** Options that belong to a cluster, or have a field of their own in the request that runs a jar. */
const NOT_A_JOBS =
  /^(kubernetes|jobmanager|taskmanager|high-availability|rest|env|blob|cluster|resourcemanager|slotmanager|web|process|containerized|external-resource|\$internal|internal)[.-]|^(external-resources|parallelism\.default|execution\.target|high-availability|execution\.(savepoint|state-recovery)\.(path|ignore-unclaimed-state))$/;

/** What of a job's options goes with the request that runs its jar in a session. */
export function sessionJobOptions({ options }: Pick<ResolvedJob, 'options'>): Record<string, string> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !NOT_A_JOBS.test(key)));
}

function invalid(field: string, what: string): DispatchError {
  return new DispatchError('InvalidSpec', `${field} ${what}`, { field });
}
