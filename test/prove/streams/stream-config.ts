import type { V1ConfigMap } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { isRecord } from '../../../lib/core/json.ts';
import type { Kubernetes } from '../servers/kubernetes.ts';
import type { StreamConfig } from './stream-job.ts';

/** What a JobManager reads of a cluster's configuration file, as far as it matters to state. */
export function configOf(
  kubernetes: Kubernetes,
  clusterId: string,
): Pick<StreamConfig, 'restoredFrom' | 'claims' | 'checkpoints' | 'recovers' | 'retains' | 'parallelism'> {
  const map = kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as V1ConfigMap | undefined;
  const { 'config.yaml': nested, 'flink-conf.yaml': flat } = map?.data ?? {};
  const options: unknown = parse(nested ?? flat ?? '');
  const option = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => optionIn(options, key)).find((value) => value !== undefined);
  return {
    restoredFrom: option('execution.state-recovery.path', 'execution.savepoint.path'),
    claims: option('execution.state-recovery.claim-mode', 'execution.savepoint-restore-mode') === 'CLAIM',
    checkpoints: option('execution.checkpointing.dir', 'state.checkpoints.dir'),
    ...(option('jobmanager.scheduler') === 'adaptive' && { parallelism: Number(option('parallelism.default') ?? 1) }),
    retains: option('execution.checkpointing.externalized-checkpoint-retention') === 'RETAIN_ON_CANCELLATION',
    recovers: option('high-availability.type', 'high-availability') === 'kubernetes',
  };
}

function optionIn(options: unknown, key: string): string | undefined {
  if (!isRecord(options)) return undefined;
  const whole = options[key];
  if (typeof whole === 'string' || typeof whole === 'number') return String(whole);
  const [first = '', ...rest] = key.split('.');
  return rest.length === 0 ? undefined : optionIn(options[first], rest.join('.'));
}
