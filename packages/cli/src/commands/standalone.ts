import type { V1Deployment } from '@kubernetes/client-node';
import { defined } from '../../../../lib/core/defined.ts';
import { isRecord } from '../../../../lib/core/json.ts';
import { isJobId } from '../../../../lib/core/ids.ts';
import { objectPath } from '../../../../lib/kubernetes/api/kinds.ts';
import { statusError, succeeded } from '../../../../lib/kubernetes/api/status-error.ts';
import { asJob } from '../../../../lib/flink/standalone/as-job.ts';
import { buildStandalone, type StandaloneRequest } from '../../../../lib/flink/standalone/build-standalone.ts';
import { taskManagerDeploymentName } from '../../../../lib/flink/standalone/task-managers.ts';
import { checkOptions } from '../../../../lib/flink/options/check.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect, type Kubernetes } from '../clusters/connect.ts';
import { createCluster, type NewCluster } from '../clusters/create.ts';
import { printObjects } from '../clusters/dry-run.ts';
import { SHUTDOWN, WHOLE_STACKS } from '../clusters/hold.ts';
import type { Ending } from '../follow/ending.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { followCluster, hasHighAvailability, type MadeCluster } from '../follow/follow-cluster.ts';
import { printJson, type Io } from '../terminal/io.ts';
import type { NativeCluster } from '../clusters/native-clusters.ts';
import type { Progress } from '../terminal/progress.ts';
import { untilRunning } from '../clusters/until-running.ts';
import { refuseWhileJobsRun, removeCluster } from '../clusters/removal.ts';
import { clusterRequest } from '../flags/request.ts';
import { selectCluster } from '../flags/select.ts';
import { readSettings, type Settings } from '../flags/settings.ts';
import type { SpecFile } from '../flags/spec-file.ts';
import { UsageError } from '../flags/usage.ts';

/** Seconds that a Job whose end nobody waits for stays, with its logs. */
const DEFAULT_TTL = 60;

type Standalone = NewCluster & MadeCluster;

/** A cluster of plain Deployments: with a jar an application, without one a session. */
export const up: Execute = async (io, parsed) => {
  const file = valueOf(parsed, 'file');
  const spec = file === undefined ? undefined : (await import('../flags/spec-file.ts')).readSpecFile(file);
  for (const note of spec?.notes ?? []) io.err(`${note}\n`);
  const settings = readSettings(io, parsed, spec);
  const asked = standaloneRequest(settings, parsed, spec);
  const followed = asked.mode === 'application' && !has(parsed, 'detached');
  // Whoever removes the cluster at the end must see main() return before.
  const request = followed && !has(parsed, 'dry-run') ? withOptions(asked, WHOLE_STACKS) : asked;
  for (const warning of checkOptions(request)) io.err(`warning: ${warning}\n`);
  const cluster = objects(request, parsed);
  if (has(parsed, 'dry-run')) {
    printObjects(io, parsed, cluster);
    return 0;
  }
  const kubernetes = await connect(settings, io);
  const started = io.clock.now();
  await createCluster(kubernetes.api, cluster);
  const took = io.clock.now() - started;
  const what = `standalone ${request.mode} cluster ${cluster.clusterId} created in namespace ${cluster.namespace} (${took} ms)`;
  if (followed) {
    const afterwards = (ending: Ending, progress: Progress) =>
      end(io, parsed, { cluster, kubernetes, ending, progress });
    return followCluster(io, parsed, cluster, kubernetes, { created: what, afterwards });
  }
  const { clusterId, namespace } = cluster;
  if (!(await untilRunning(io, kubernetes, cluster, taskManagersOf(cluster)))) {
    io.err(`cluster ${clusterId} goes on to start; end it with: standalone down ${clusterId}\n`);
    return 130;
  }
  const running = io.clock.now() - started;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, createdInMs: took, runningInMs: running });
  else io.out(`${what.charAt(0).toUpperCase()}${what.slice(1)}, its pods run after ${(running / 1000).toFixed(1)} s\n`);
  return 0;
};

function taskManagersOf({ clusterId, dependents }: Standalone): number {
  const workers = dependents.find(({ metadata }) => metadata?.name === taskManagerDeploymentName(clusterId));
  return (workers as V1Deployment | undefined)?.spec?.replicas ?? 0;
}

function standaloneRequest(settings: Settings, parsed: ParsedFlags, spec: SpecFile | undefined): StandaloneRequest {
  const jar = valueOf(parsed, 'jarfile') ?? parsed.args[0] ?? spec?.jar;
  const mode = jar === undefined ? 'session' : 'application';
  const request = clusterRequest(settings, parsed, mode, spec);
  const jobId = valueOf(parsed, 'job-id');
  if (jobId !== undefined && !isJobId(jobId)) throw new UsageError(`--job-id ${jobId}: must be 32 hexadecimal digits`);
  const taskManagers = numberIn(parsed, 'taskmanagers') ?? spec?.taskManagers;
  return {
    ...request,
    options: { ...request.options, ...defined({ '$internal.pipeline.job-id': jobId }) },
    ...defined({ taskManagers }),
  };
}

function objects(request: StandaloneRequest, parsed: ParsedFlags): Standalone {
  const job = has(parsed, 'job');
  if (job && request.mode === 'session') throw new UsageError('--job is for an application: a session does not end');
  const ttl = numberIn(parsed, 'ttl');
  if (ttl !== undefined && !(job && has(parsed, 'detached'))) throw new UsageError('--ttl goes with --job and -d');
  if (!job) {
    const { deployment, ...rest } = buildStandalone(request);
    return { ...rest, owner: deployment };
  }
  if (!has(parsed, 'detached')) return asJob(buildStandalone(request), jobOptions(request, undefined));
  // nobody reads its end over REST: the JobManager may go, and Kubernetes takes the rest
  const ends = { ...request, options: { [SHUTDOWN]: 'true', ...request.options } };
  return asJob(buildStandalone(ends), jobOptions(request, ttl ?? DEFAULT_TTL));
}

function withOptions(request: StandaloneRequest, options: Readonly<Record<string, string>>): StandaloneRequest {
  return { ...request, options: { ...request.options, ...options } };
}

function jobOptions({ options }: StandaloneRequest, ttl: number | undefined) {
  return { highAvailability: hasHighAvailability({ configuration: options }), ...defined({ ttl }) };
}

interface Ended {
  readonly cluster: MadeCluster;
  readonly kubernetes: Kubernetes;
  readonly ending: Ending;
  readonly progress: Progress;
}

/** Nothing in a standalone cluster removes it: whoever waits for the end does. */
async function end(io: Io, parsed: ParsedFlags, { cluster, kubernetes, ending, progress }: Ended): Promise<void> {
  const { clusterId } = cluster;
  const interrupted = ending.state === 'INTERRUPTED';
  if (has(parsed, 'keep') || (interrupted && !has(parsed, 'shutdownOnAttachedExit'))) {
    progress.note(
      `cluster ${clusterId} ${interrupted ? 'goes on' : 'stays'}; end it with: standalone down ${clusterId}`,
    );
    return;
  }
  const left = await removeCluster(io, kubernetes, cluster);
  progress.note(
    left.length === 0 ? `cluster ${clusterId} removed` : `cluster ${clusterId} is being removed: ${left.join(', ')}`,
  );
}

export const down: Execute = async (io, parsed) => {
  const settings = readSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const cluster = await selectStandalone(kubernetes, settings, parsed.args[0]);
  if (!has(parsed, 'force')) await refuseWhileJobsRun(kubernetes, cluster);
  const left = await removeCluster(io, kubernetes, cluster);
  const { clusterId, namespace } = cluster;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, removed: left.length === 0, left });
  else if (left.length === 0) io.out(`Standalone cluster ${clusterId} removed\n`);
  else io.out(`Standalone cluster ${clusterId} is being removed; still there: ${left.join(', ')}\n`);
  return 0;
};

export const scale: Execute = async (io, parsed) => {
  const [first, second, ...more] = parsed.args;
  const [name, count] = second === undefined ? [undefined, first] : [first, second];
  if (count === undefined || !/^\d{1,5}$/.test(count) || more.length > 0) {
    throw new UsageError('standalone scale [cluster id] <number of TaskManagers>');
  }
  const settings = readSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const { clusterId, namespace } = await selectStandalone(kubernetes, settings, name);
  const before = await setTaskManagers(kubernetes, { clusterId, namespace }, Number(count));
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, before, taskManagers: Number(count) });
  else io.out(`Standalone cluster ${clusterId}: ${before ?? '?'} → ${count} TaskManagers\n`);
  return 0;
};

async function setTaskManagers(
  { api }: Kubernetes,
  { clusterId, namespace }: Pick<NativeCluster, 'clusterId' | 'namespace'>,
  replicas: number,
): Promise<number | undefined> {
  const resource = `deployments/${taskManagerDeploymentName(clusterId)}`;
  const path = `${objectPath('Deployment', namespace, taskManagerDeploymentName(clusterId))}/scale`;
  const before = await api.request({ method: 'GET', path });
  if (!succeeded(before)) throw statusError(before, { verb: 'get', resource, namespace });
  const contentType = 'application/merge-patch+json';
  const after = await api.request({ method: 'PATCH', path, contentType, body: { spec: { replicas } } });
  if (!succeeded(after)) throw statusError(after, { verb: 'scale', resource, namespace });
  const spec = isRecord(before.body) ? before.body['spec'] : undefined;
  // an API server leaves out what is 0
  return isRecord(spec) ? ((spec['replicas'] as number | undefined) ?? 0) : undefined;
}

async function selectStandalone(kubernetes: Kubernetes, settings: Settings, name: string | undefined) {
  const cluster = await selectCluster(kubernetes, settings, name);
  if (cluster.standalone === true) return cluster;
  const other = cluster.mode === 'session' ? 'session stop' : 'cancel';
  throw new UsageError(`${cluster.clusterId} is a native cluster, not a standalone one: use ${other}`);
}

function numberIn(parsed: ParsedFlags, name: string): number | undefined {
  const text = valueOf(parsed, name);
  if (text === undefined) return undefined;
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} ${text}: must be a whole number`);
}
