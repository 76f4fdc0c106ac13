import { expect, it } from 'vitest';
import { differences } from '../src/clusters/object-diff.ts';
import { parseClusterId } from '../../../lib/core/ids.ts';
import type { FlinkCluster } from '../../../lib/flink/cluster.ts';

function cluster(image: string, labels: Record<string, string>, configuration: Record<string, unknown>): FlinkCluster {
  const containers = [
    { name: 'sidecar', image: 's' },
    { name: 'main', image, args: ['a', 'b'] },
  ];
  return {
    clusterId: parseClusterId('a'),
    namespace: 'default',
    deployment: {
      kind: 'Deployment',
      metadata: { name: 'a', labels },
      spec: { selector: {}, template: { spec: { containers } } },
    },
    dependents: [{ kind: 'ConfigMap', metadata: { name: 'c' }, data: { 'config.yaml': image } } as never],
    configuration,
  };
}

it('names what is different, and where', () => {
  const before = cluster('one', { app: 'a' }, { x: 1 });
  const after = cluster('two', { app: 'a', team: 'data' }, { x: 1, y: 'z' });
  expect(differences(before, after)).toEqual([
    { object: 'Deployment/a', path: 'spec.template.spec.containers[main].image', before: 'one', after: 'two' },
    { object: 'Deployment/a', path: 'metadata.labels.team', after: 'data' },
    { object: 'configuration', path: 'y', after: 'z' },
  ]);
  expect(differences(after, before)).toContainEqual({
    object: 'Deployment/a',
    path: 'metadata.labels.team',
    before: 'data',
  });
  expect(differences(before, before)).toEqual([]);
});
