/** An application with one job on a cluster of its own, by the clock: main() ends with its job. */
export interface SimulatedJob {
  readonly jobId: string;
  readonly name: string;
  readonly startedAt: number;
  /** Milliseconds until it is FINISHED. */
  readonly runs: number;
  canceledAt?: number;
}

/** The JobManager's REST answers about one job, by path; `undefined` where a JobManager would answer 404. */
export function answerOf(job: SimulatedJob, path: string, now: number): unknown {
  const { jobId, name, startedAt } = job;
  const end = Math.min(startedAt + job.runs, job.canceledAt ?? Infinity);
  const ended = now >= end;
  const state = !ended ? 'RUNNING' : end === job.canceledAt ? 'CANCELED' : 'FINISHED';
  const tasks = { total: 1, running: ended ? 0 : 1, finished: state === 'FINISHED' ? 1 : 0 };
  const times = { 'start-time': startedAt, 'end-time': ended ? end : -1, duration: Math.min(now, end) - startedAt };
  const summary = { jid: jobId, name, state, ...times, 'last-modification': Math.min(now, end), tasks };
  const application = { id: jobId, name, status: state, ...times, jobs: { [state]: 1 } };
  const answers: Readonly<Record<string, unknown>> = {
    '/overview': overview(ended),
    '/jobs/overview': { jobs: [summary] },
    '/applications/overview': { applications: [application] },
    [`/jobs/${jobId}`]: { ...summary, vertices: [] },
    [`/jobs/${jobId}/exceptions`]: { exceptionHistory: { entries: [], truncated: false } },
    [`/jobs/${jobId}/accumulators`]: { 'job-accumulators': [], 'user-task-accumulators': [] },
    [`/jobs/${jobId}/checkpoints`]: {},
    [`/jobs/${jobId}/config`]: {},
  };
  return answers[path];
}

function overview(ended: boolean): object {
  return {
    taskmanagers: 1,
    'slots-total': 1,
    'slots-available': ended ? 1 : 0,
    'jobs-running': ended ? 0 : 1,
    'jobs-finished': ended ? 1 : 0,
    'jobs-cancelled': 0,
    'jobs-failed': 0,
    'flink-version': '2.3.0',
    'flink-commit': 'simulated',
  };
}
