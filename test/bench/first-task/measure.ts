import { globSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { kubectl } from '../../cluster/support/lab.ts';
import type { Place, StartWay } from './way.ts';

/** Milliseconds since the command or the event, of what happened one after another; pods tell of whole seconds. */
export interface Sample {
  readonly way: string;
  readonly objects: number;
  readonly jobManager: number;
  readonly rest: number;
  readonly taskManager: number;
  readonly task: number;
  /** Seconds of processor time that the pods have used until then. */
  readonly cpu: number;
  /** With that of whoever asked for them. */
  readonly whole: number;
}

const LOOK = 500;
const PATIENCE = 300_000;

/** One start, to its first task. */
export async function measure(way: StartWay, place: Place): Promise<Sample> {
  const begun = Date.now();
  const started = await way.start(place);
  try {
    const rest = `http://${started.clusterId}-rest.${place.tenant.namespace}:8081`;
    const seen = await untilTaskRuns(rest, begun + PATIENCE);
    const pods = await podsOf(place, started.clusterId);
    const since = (at: number): number => at - begun;
    const time = (of: V1Pod | undefined, kind: 'made' | 'started'): number => {
      const status = of?.status?.containerStatuses?.[0]?.state?.running?.startedAt;
      return since(new Date(String(kind === 'made' ? of?.metadata?.creationTimestamp : status)).getTime());
    };
    const [jobManager, taskManager] = ['jobmanager', 'taskmanager'].map((component) =>
      pods.find(({ metadata }) => metadata?.labels?.['component'] === component),
    );
    const cpu = pods.reduce((sum, { metadata }) => sum + processorSeconds(metadata?.uid ?? ''), 0);
    return {
      way: way.name,
      objects: time(jobManager, 'made'),
      jobManager: time(jobManager, 'started'),
      rest: since(seen.rest),
      taskManager: time(taskManager, 'started'),
      task: since(seen.task),
      cpu,
      whole: cpu + started.caller,
    };
  } finally {
    await started.stop();
  }
}

interface Seen {
  readonly rest: number;
  /** As Flink has it. */
  readonly task: number;
}

async function untilTaskRuns(rest: string, until: number): Promise<Seen> {
  let answered: number | undefined;
  for (; Date.now() < until; await sleep(LOOK)) {
    const overview = await ask<Overview>(`${rest}/jobs/overview`);
    if (overview === undefined) continue;
    answered ??= Date.now();
    // The JobManager has little of a processor: the rest is asked when there is something to hear.
    const running = overview.jobs.find(({ tasks }) => (tasks['running'] ?? 0) > 0);
    const task = running === undefined ? undefined : await firstTask(`${rest}/jobs/${running.jid}`);
    if (task !== undefined) return { rest: answered, task };
  }
  throw new Error('no task has run');
}

/** When the first of a job's tasks began to run. */
async function firstTask(job: string): Promise<number | undefined> {
  const { vertices = [] } = (await ask<{ readonly vertices: readonly { readonly id: string }[] }>(job)) ?? {};
  const times = await Promise.all(vertices.map(({ id }) => ask<Times>(`${job}/vertices/${id}/subtasktimes`)));
  const subtasks = times.flatMap((one) => one?.subtasks ?? []);
  const began = subtasks.map(({ timestamps }) => timestamps['RUNNING'] ?? -1).filter((at) => at > 0);
  return began.length === 0 ? undefined : Math.min(...began);
}

interface Overview {
  readonly jobs: readonly { readonly jid: string; readonly tasks: Readonly<Record<string, number>> }[];
}

interface Times {
  readonly subtasks: readonly { readonly timestamps: Readonly<Record<string, number>> }[];
}

async function ask<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

async function podsOf({ tenant }: Place, clusterId: string): Promise<readonly V1Pod[]> {
  const text = await kubectl('get', 'pods', '-n', tenant.namespace, '-l', `app=${clusterId}`, '-o', 'json');
  return (JSON.parse(text) as { readonly items: readonly V1Pod[] }).items;
}

/** Of all of a pod's containers, those that have ended too; the node of the lab is this machine. */
function processorSeconds(uid: string): number {
  const [folder] = globSync(`/sys/fs/cgroup/cpuacct/kubepods/{,*/}pod${uid}`);
  if (folder !== undefined) return Number(readFileSync(`${folder}/cpuacct.usage`, 'utf8')) / 1e9;
  const [unified] = globSync(`/sys/fs/cgroup/kubepods*/{,*/}*pod${uid}*`);
  const text = unified === undefined ? '' : readFileSync(`${unified}/cpu.stat`, 'utf8');
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? NaN) / 1e6;
}
