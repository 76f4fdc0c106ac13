import { describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../lib/core/ids.ts';
import { foretell } from '../../lib/deployment/foretell.ts';
import type { DeploymentRequest } from '../../lib/deployment/record.ts';
import type { StatePlan } from '../../lib/job/job.ts';
import { jobIn, recordOf } from './job.ts';

function request(text: string, flinkVersion: string, change: Partial<StatePlan> = {}): DeploymentRequest {
  const job = jobIn(text);
  return {
    ...{ version: 1, fingerprint: text, by: 'somebody', at: 0, wish: { state: 'running', nonces: {} } },
    deployment: deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: job.name }),
    requestId: runIdFor(text),
    job: { ...job, flinkVersion, state: { ...job.state, ...change } },
    source: { kind: 'message', queueArn: 'arn:q', messageId: text },
  };
}

/** What is said of an upgrade from a job of that version that runs. */
function said(from: string, to: string, change: Partial<StatePlan> = {}): string | undefined {
  const run = { id: runIdFor('run'), generation: 1, why: 'create', at: 0 } as const;
  const running = { ...recordOf([request('a', from)]), run };
  const record = recordOf([request('a', from), request('b', to, change)]);
  const generation = record.generations[1];
  return generation && foretell(running, generation);
}

describe('before an upgrade begins', () => {
  it('nothing is said of one within a version of Flink', () => {
    expect(said('2.3', '2.3')).toBeUndefined();
  });

  it.each<readonly [string, string, Partial<StatePlan>, RegExp]>([
    ['2.3', '2.3', { upgradeMode: 'stateless' }, /empty state/],
    ['2.3', '1.20', {}, /Flink 1\.20 may not read what Flink 2\.3 has written/],
    ['1.20', '2.3', {}, /the way back is the snapshot of this upgrade\.$/],
    ['1.20', '2.3', { format: 'NATIVE' }, /no other major version to read a native savepoint/],
    ['1.20', '2.3', { upgradeMode: 'last-state' }, /to read a checkpoint/],
    ['1.20', '2.3', { fallback: 'last-state' }, /to read a checkpoint/],
    ['1.19', '1.20', { format: 'NATIVE' }, /the way back is the snapshot of this upgrade\.$/],
  ])('from %s to %s with %o it is said what Flink does not promise', (from, to, change, sentence) => {
    expect(said(from, to, change)).toMatch(sentence);
  });
});
