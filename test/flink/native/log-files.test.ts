import type { V1ConfigMap } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { ClusterRequest } from '../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';

const CONFIG = 'jobmanager.memory.process.size: 1600m\ntaskmanager.memory.process.size: 1728m\n';
const OWN = 'log4j-console.properties';

function logFiles(more: Partial<ClusterRequest>): Record<string, string> {
  const { dependents: dependents } = buildCluster({
    flinkVersion: '2.3.0',
    mode: 'session',
    options: { 'kubernetes.cluster-id': 'c' },
    ...more,
  });
  const map = dependents.find(({ metadata }) => metadata?.name === 'flink-config-c') as V1ConfigMap;
  return Object.fromEntries(Object.entries(map.data ?? {}).filter(([name]) => name !== 'config.yaml'));
}

describe('logging files of a request', () => {
  it('replace the built-in ones', () => {
    const builtIn = logFiles({});
    expect(logFiles({ logFiles: { [OWN]: 'mine' } })).toEqual({ ...builtIn, [OWN]: 'mine' });
  });

  it('replace those of the conf folder, or are added to it', () => {
    const conf = { 'config.yaml': CONFIG, 'logback-console.xml': '<a/>' };
    expect(logFiles({ conf, logFiles: { [OWN]: 'mine' } })).toEqual({ 'logback-console.xml': '<a/>', [OWN]: 'mine' });
  });

  it('are mounted when the conf folder has none', () => {
    const { deployment } = buildCluster({
      flinkVersion: '2.3.0',
      mode: 'session',
      options: { 'kubernetes.cluster-id': 'c' },
      conf: { 'config.yaml': CONFIG },
      logFiles: { [OWN]: 'mine' },
    });
    const volume = deployment.spec?.template.spec?.volumes?.find(
      ({ configMap }) => configMap?.name === 'flink-config-c',
    );
    expect(volume?.configMap?.items).toContainEqual({ key: OWN, path: OWN });
  });

  it.each([
    ['2.3.0', 'log4j.xml'],
    ['1.20.0', 'log4j-session.properties'],
    ['2.3.0', 'config.yaml'],
  ])('Flink %s reads no %s', (flinkVersion, name) => {
    expect(() => logFiles({ flinkVersion, logFiles: { [name]: '' } })).toThrow(
      expect.objectContaining({ reason: 'InvalidSpec', field: `logConfiguration.${name}` }) as Error,
    );
  });
});
