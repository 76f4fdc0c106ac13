import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ClusterRequest } from '../../../lib/flink/cluster.ts';
import { checkOptions } from '../../../lib/flink/options/check.ts';
import { RECORDED_VERSIONS, recordings, requestOf } from '../native/recordings.ts';

const DECLARED = JSON.parse(
  readFileSync(new URL('../../fixtures/flink/kubernetes-options.json', import.meta.url), 'utf8'),
) as Record<string, { type: string; deprecated: readonly string[]; fallback: readonly string[] }>;

/** Every key of KubernetesConfigOptions of any version, its older keys, and an entry of those of map type. */
const KEYS = Object.entries(DECLARED).flatMap(([key, { type, deprecated, fallback }]) => [
  key,
  ...deprecated,
  ...fallback,
  ...(type === 'mapType' ? [`${key}.app.kubernetes.io/name`, `${key}.s`] : []),
]);

/** Of others: high availability, the operator, metrics, external resources, the environment. */
const OTHERS = [
  'high-availability.kubernetes.leader-election.lease-duration',
  'high-availability.kubernetes.leader-election.renew-deadline',
  'high-availability.kubernetes.leader-election.retry-period',
  'high-availability.cluster-id',
  'kubernetes.operator.reconcile.interval',
  'kubernetes.operator.savepoint.history.max.count',
  'kubernetes.operator.metrics.reporter.slf4j.factory.class',
  'kubernetes.internal.jobmanager.entrypoint.class',
  'job.autoscaler.enabled',
  'metrics.reporter.prom.factory.class',
  'external-resource.gpu.kubernetes.config-key',
  'containerized.master.env.KUBERNETES_NAME',
  'state.checkpoints.dir',
];

function request(key: string, flinkVersion: string): ClusterRequest {
  return {
    flinkVersion,
    mode: 'application',
    options: { 'kubernetes.cluster-id': 'c', [key]: 'x' },
    program: { jars: ['local:///job.jar'], args: [] },
  };
}

/** The value may be refused; the key may not. */
function refusal(asked: ClusterRequest): string {
  try {
    checkOptions(asked);
    return '';
  } catch (error) {
    return error instanceof Error && error.message.includes('is not known') ? error.message : '';
  }
}

describe.each(['1.19.1', '1.20.0', '2.0.0', '2.3.0'])('keys in Flink %s', (version) => {
  it.each([...KEYS, ...OTHERS])('%s is taken for no mistake', (key) => {
    expect(refusal(request(key, version))).toBe('');
  });

  it.each(OTHERS)('%s needs no warning', (key) => {
    expect(checkOptions(request(key, version))).toEqual([]);
  });
});

describe.each(RECORDED_VERSIONS)("options that Flink %s's own client was given", (version) => {
  it.each(recordings(version).map((one) => [one.scenario, one] as const))('%s', (_scenario, recording) => {
    expect(refusal(requestOf(recording))).toBe('');
  });
});
