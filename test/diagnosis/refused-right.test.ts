import { describe, expect, it } from 'vitest';
import { refusedRight } from '../../lib/diagnosis/refused-right.ts';

const refusal = (account: string, rest: string): string =>
  `io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://10.0.0.1/api/v1/namespaces/jobs/pods. Message: ${rest.split(' ')[2] ?? ''} is forbidden: User "system:serviceaccount:${account}" cannot ${rest}. Received status: Status(code=403)`;

describe('a refused right', () => {
  it('is the last one that the log tells of', () => {
    const log = [
      refusal('jobs:flink', 'watch resource "pods" in API group "" in the namespace "jobs"'),
      refusal('jobs:flink', 'get resource "deployments/status" in API group "apps" in the namespace "jobs"'),
      '2026-11-21 INFO org.apache.flink.runtime.X [] - shut down',
    ].join('\n');
    expect(refusedRight(log)).toEqual({
      ...{ namespace: 'jobs', account: 'flink', verb: 'get' },
      ...{ group: 'apps', resource: 'deployments/status' },
    });
  });

  it.each([
    ['no refusal', 'all is well'],
    [
      'one of a person',
      'pods is forbidden: User "jane" cannot create resource "pods" in API group "" in the namespace "jobs"',
    ],
    [
      'one in another namespace',
      refusal('jobs:flink', 'get resource "pods" in API group "" in the namespace "kube-system"'),
    ],
    [
      'one at the scope of the cluster',
      refusal('jobs:flink', 'list resource "nodes" in API group "" at the cluster scope'),
    ],
    [
      'one of a name that is none',
      refusal('jobs:FLINK"', 'get resource "pods" in API group "" in the namespace "jobs"'),
    ],
  ])('is not there in %s', (_what, log) => {
    expect(refusedRight(log)).toBeUndefined();
  });
});
