import { defined } from '../../lib/core/defined.ts';
import { omit } from '../../lib/core/omit.ts';
import type { KubernetesFacts, Owner, PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import type { ApplicationSummary, JobManagerFacts, JobSummary } from '../../lib/flink/job-manager.ts';
import { isTerminal } from '../../lib/flink/job-state.ts';
import { isEnded, without } from '../../lib/run/machine.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import type { ActiveRun, Attempt, EndedRun, HasAttempt, QueuedRun, RunRecord, RunState } from '../../lib/run/record.ts';
import { launchedSample } from '../fixtures/records/load.ts';
import { ownerOf } from '../fakes/ids.ts';

export const NOW = 1_795_000_000_000;

type RunIn<S extends RunState> = HasAttempt &
  (S extends ActiveRun['state'] ? ActiveRun : S extends EndedRun['state'] ? EndedRun : QueuedRun);

/** What a run of any state may have. */
type Changes = Partial<Omit<EndedRun, 'state' | 'job' | 'attempts' | 'outcome'>>;

/** A run in this state whose attempt was launched `age` milliseconds ago. */
export function runIn<S extends RunState>(state: S, age: number, changes: Changes = {}): RunIn<S> {
  const { outcome, ...base } = without(launchedSample(), 'keepUntil');
  const [first] = base.attempts;
  const launchedAt = NOW - age;
  const attempt: Attempt = {
    number: 1,
    clusterId: first.clusterId,
    jobId: first.jobId,
    launchedAt,
    createdAt: launchedAt,
    ...(state === 'running' ? { runningAt: launchedAt, jobManager: { podUid: 'jm', restartCount: 0 } } : {}),
  };
  const record = { ...base, state, attempts: [attempt], events: [], ...changes };
  return (isEnded(state) ? { ...record, outcome } : record) as unknown as RunIn<S>;
}

export function jobManagerPod(
  changes: Partial<PodFacts> = {},
  container: Partial<PodFacts['containers'][number]> = {},
): PodFacts {
  return {
    name: 'c-x',
    uid: 'jm',
    component: 'jobmanager',
    phase: 'Running',
    createdAt: NOW - 1000,
    deleting: false,
    ready: true,
    containers: [
      {
        name: 'flink-main-container',
        init: false,
        image: 'flink:2.3.0',
        ready: true,
        restartCount: 0,
        state: 'running',
        ...container,
      },
    ],
    ...changes,
  };
}

/** The run's own Deployment, with one JobManager that is well unless told otherwise. */
export function kubernetes(record: RunRecord, changes: Partial<KubernetesFacts> = {}): KubernetesFacts {
  const owner = ownerOf(record.runId);
  return {
    deployment: {
      state: 'present',
      uid: 'd',
      owner,
      deleting: false,
      createdAt: NOW - 1000,
      desiredReplicas: 1,
      conditions: [],
    },
    pods: [jobManagerPod()],
    events: [],
    ...changes,
  };
}

/** Of the run's own Deployment these pods. */
export function withPods(record: RunRecord, ...pods: readonly PodFacts[]): Pick<Observation, 'kubernetes'> {
  return { kubernetes: kubernetes(record, { pods }) };
}

/** The same cluster as somebody else's. */
export function ownedBy(facts: KubernetesFacts, owner: Owner | undefined): KubernetesFacts {
  const { deployment } = facts;
  if (deployment.state === 'absent') return facts;
  return { ...facts, deployment: { ...omit(deployment, 'owner'), ...defined({ owner }) } };
}

export const UNREACHABLE: RestFacts = { state: 'unreachable', error: 'connection refused' };

export function answered(jobs: readonly JobSummary[], changes: Partial<JobManagerFacts> = {}): RestFacts {
  const applications = jobs.length === 0 ? {} : { applications: [applicationOf(jobs)] };
  const slots = { taskManagers: 1, slotsTotal: 1, slotsAvailable: 0 };
  const facts = { flinkVersion: '2.3.0', ...slots, jobs, ...applications, ...changes };
  return { state: 'answered', facts };
}

/** Of a main() that lets a failure through, and ends with its jobs. */
function applicationOf(jobs: readonly JobSummary[]): ApplicationSummary {
  const states = new Set(jobs.map(({ state }) => state));
  const isOver = [...states].every(isTerminal);
  const worst = states.has('FAILED') ? 'FAILED' : states.has('CANCELED') ? 'CANCELED' : 'FINISHED';
  return { id: 'a', name: 'main', status: isOver ? worst : 'RUNNING' };
}

export function jobOf(record: RunRecord, changes: Partial<JobSummary> = {}): JobSummary {
  return {
    id: record.attempts[0]?.jobId ?? '',
    name: 'job',
    state: 'RUNNING',
    startTime: NOW - 500,
    endTime: -1,
    duration: 500,
    tasks: { RUNNING: 1 },
    ...changes,
  };
}

export function look(record: RunRecord, rest: RestFacts, changes: Partial<Observation> = {}): Observation {
  return { at: NOW, kubernetes: kubernetes(record), rest, ...changes };
}
