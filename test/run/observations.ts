import type { KubernetesFacts, PodFacts } from '../../lib/cluster/port.ts';
import type { JobManagerFacts, JobSummary } from '../../lib/flink/job-manager.ts';
import { without } from '../../lib/run/machine.ts';
import type { Observation, RestFacts } from '../../lib/run/observation.ts';
import type { Attempt, RunRecord, RunState } from '../../lib/run/record.ts';
import { sampleRecord } from '../fixtures/records/load.ts';

export const NOW = 1_795_000_000_000;

/** A run in this state whose attempt was launched `age` milliseconds ago. */
export function runIn(state: RunState, age: number, changes: Partial<RunRecord> = {}): RunRecord {
  const base = without(sampleRecord(), 'outcome', 'keepUntil');
  const [first] = base.attempts;
  if (first === undefined || base.job === undefined) throw new Error('the sample has no attempt');
  const launchedAt = NOW - age;
  const attempt: Attempt = {
    number: 1,
    clusterId: first.clusterId,
    jobId: first.jobId,
    launchedAt,
    createdAt: launchedAt,
    ...(state === 'running' ? { runningAt: launchedAt, jobManager: { podUid: 'jm', restartCount: 0 } } : {}),
  };
  return { ...base, state, attempts: [attempt], events: [], ...changes };
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
  const owner = { runId: record.runId, attempt: 1 };
  return {
    deployment: {
      state: 'present',
      uid: 'd',
      ...owner,
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

export const SILENT: RestFacts = { state: 'silent', error: 'connection refused' };

export function answered(jobs: readonly JobSummary[], changes: Partial<JobManagerFacts> = {}): RestFacts {
  const facts = { flinkVersion: '2.3.0', taskManagers: 1, slotsTotal: 1, slotsAvailable: 0, jobs, ...changes };
  return { state: 'answered', facts };
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
