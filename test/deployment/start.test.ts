import { expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../lib/core/ids.ts';
import { keepSnapshot } from '../../lib/deployment/history.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../lib/deployment/record.ts';
import { begin } from '../../lib/deployment/start.ts';
import { jobIn, recordOf } from './job.ts';

const ID = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'orders' });

function request(text: string, at: number): DeploymentRequest {
  return {
    ...{ version: 1, deployment: ID, requestId: runIdFor(text), fingerprint: text, job: jobIn(text), by: 'b', at },
    wish: { state: 'running', nonces: {} },
    source: { kind: 'message', queueArn: 'q', messageId: text },
  };
}

function started(record: DeploymentRecord): DeploymentRecord {
  const wanted = record.generations.at(-1);
  if (wanted === undefined) throw new Error('no generation');
  return begin(record, wanted, 9);
}

it('a job that has finished leaves savepoints behind, with which nothing begins unless somebody says so', () => {
  const path = `s3://state/savepoints/${ID}/${runIdFor('r')}-r1/savepoint-1`;
  const record = keepSnapshot(recordOf([request('a', 1), request('b', 2)]), { kind: 'savepoint', path }, 'periodic', 3);
  const after = started({ ...record, runs: 1, finishedAt: 4, state: 'finished' });
  expect(after).toMatchObject({ state: 'blocked', settled: { reason: 'DeploymentFinished' } });
  expect(after.settled?.message).toContain(path);
  expect(started({ ...record, snapshots: [], runs: 1, finishedAt: 4, state: 'finished' }).run).toBeDefined();
});
