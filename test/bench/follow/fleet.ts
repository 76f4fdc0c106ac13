import { clusterIdFor, jobIdFor, runIdFor, type ClusterId, type JobId, type RunId } from '../../../lib/core/ids.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';

export const NAMESPACE = 'flink';
export const LEDGER = 'ledger';

export interface Member {
  readonly runId: RunId;
  readonly clusterId: ClusterId;
  readonly jobId: JobId;
}

/** The same in the process that follows and in the one that plays the clusters. */
export function member(index: number): Member {
  const runId = runIdFor(`follow ${index}`);
  return { runId, clusterId: clusterIdFor('follow', runId, 1), jobId: jobIdFor(runId, 1) };
}

export function podUid({ clusterId }: Member): string {
  return `pod-${clusterId}`;
}

/** A streaming job that has run for `age` milliseconds. */
export function liveRun(of: Member, age: number, now: number, dueAt: number): RunRecord {
  const { runId, clusterId, jobId } = of;
  const began = now - age;
  const base = runIn('running', age, { runId, createdAt: began, updatedAt: now, step: { number: 2, dueAt } });
  const { start } = base.job.deadlines;
  const attempt = {
    number: 1,
    clusterId,
    jobId,
    launchedAt: began,
    createdAt: began,
    runningAt: began,
    jobManager: { podUid: podUid(of), restartCount: 0 },
    startRevokedAt: began,
    logsKept: { [`${clusterId}-x`]: now, [`${clusterId}-taskmanager-1-1`]: now },
  };
  return {
    ...base,
    job: { ...base.job, namespace: NAMESPACE, kind: 'streaming', deadlines: { start } },
    attempts: [attempt],
  };
}
