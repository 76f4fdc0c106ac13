import { clusterIdFor, jobIdFor, type RunId } from '../../lib/core/ids.ts';
import { applyRequest } from '../../lib/deployment/generations.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../lib/deployment/record.ts';
import type { ResolvedJob, StatePlan } from '../../lib/job/job.ts';
import type { ActiveRun } from '../../lib/run/record.ts';

/** A stream whose argument is `text`. */
export function jobIn(text: string): ResolvedJob & { readonly state: StatePlan } {
  return {
    mode: 'application',
    name: 'orders',
    target: 'default',
    namespace: 'flink',
    flinkVersion: '2.3',
    options: { 'kubernetes.container.image.ref': 'flink:2.3.0' },
    podTemplates: {},
    jar: { uri: 'local:///opt/job.jar' },
    args: [text],
    kind: 'streaming',
    state: {
      upgradeMode: 'savepoint',
      fallback: 'none',
      format: 'CANONICAL',
      savepointDeadline: 60_000,
      savepointDirectory: 's3://state/savepoints',
      checkpointDirectory: 's3://state/checkpoints',
      probation: 60_000,
      rollback: 'automatic',
      history: { count: 2, age: 3_600_000 },
    },
    deadlines: { start: 60_000 },
    retry: { attempts: 1, backoff: 1000 },
    afterEnd: { keepCluster: 'never', ttl: 1000 },
    notify: [],
  };
}

/** The record that these requests make, one after another. */
export function recordOf(requests: readonly DeploymentRequest[]): DeploymentRecord {
  let record: DeploymentRecord | undefined;
  for (const one of requests) {
    const applied = applyRequest(record, one, one.at, false);
    if (applied.kind === 'changed') record = applied.record;
  }
  if (record === undefined) throw new Error('no request');
  return record;
}

/** A run of that job in its first attempt. */
export function runningIn(runId: RunId, job: ResolvedJob): ActiveRun {
  return {
    ...{ version: 1, runId, fingerprint: 'a', name: 'orders', createdAt: 0, updatedAt: 0, events: [] },
    source: { kind: 'message', queueArn: 'arn:q', messageId: 'm' },
    ...{ step: { number: 3, dueAt: 0 }, state: 'running', job },
    attempts: [{ number: 1, clusterId: clusterIdFor('orders', runId, 1), jobId: jobIdFor(runId, 1), launchedAt: 0 }],
  };
}
