import { DispatchError } from '../../../lib/core/errors.ts';
import type { JobAnswers, JobFigures, JobHistory } from '../../../lib/flink/job-history.ts';
import type { JobSummary } from '../../../lib/flink/job-manager.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { FaultKind } from '../faults.ts';
import type { Failures, Invocation, Simulation } from '../simulation.ts';

const READ: readonly FaultKind[] = ['refused', 'lost', 'slow', 'crash-before', 'crash-after'];
const FAILURES: Failures = {
  refused: () => new DispatchError('RestUnreachable', 'connection refused'),
  throttled: () => new DispatchError('RestUnreachable', 'status 503'),
  noAnswer: () => new DispatchError('RestUnreachable', 'no answer within 3000 ms'),
};

/** What a simulated JobManager tells for later, of the jobs that it has. */
export function flinkHistory(
  sim: Simulation,
  { invocation, ref, jobs }: { invocation: Invocation; ref: ClusterRef; jobs: () => readonly JobSummary[] },
): JobHistory {
  const ask = <T>(verb: string, jobId: string, act: (job: JobSummary) => T): Promise<T> =>
    sim.effect(invocation, {
      ...{ what: `flink ${verb} ${ref.clusterId}`, kinds: READ, failures: FAILURES, latency: [4, 80] },
      act: () => {
        const job = jobs().find(({ id }) => id === jobId);
        if (job === undefined) throw new DispatchError('JobNotFound', 'no such job');
        return act(job);
      },
    });
  return {
    figures: (jobId) => ask('figures', jobId, (job) => figuresOf(job, sim.now)),
    answers: (jobId, known = {}) => ask('answers', jobId, (job) => ({ ...known, ...answersOf(job) })),
  };
}

function figuresOf({ id, name, startTime }: JobSummary, now: number): JobFigures {
  const counts = { recordsIn: now - startTime, recordsOut: 0, bytesIn: 0, bytesOut: 0 };
  return { job: { id, name, vertices: [{ id: 'a', name: 'a', parallelism: 1, inputs: [] }] }, counts: [counts] };
}

function answersOf({ id, name, state, startTime, endTime, duration }: JobSummary): JobAnswers {
  const job = { jid: id, name, state, 'start-time': startTime, 'end-time': endTime, duration };
  return { '/jobs/overview': { jobs: [job] }, [`/jobs/${id}`]: job };
}
