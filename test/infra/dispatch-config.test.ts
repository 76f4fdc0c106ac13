import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { deploymentConfig } from '../../infra/local/config.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';

it('the configuration that is deployed by default is valid', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'infra', 'dispatch.yml'), 'utf8');
  const { targets, defaults } = parseDispatchConfig(text);
  expect(targets['default']).toMatchObject({ namespace: 'flink', access: { kind: 'eks' } });
  expect(defaults.flinkVersion).toBeDefined();
});

it("the local stack's is valid", () => {
  const cluster = { kubeconfig: '/k', context: 'c', namespace: 'n', image: 'flink:2.3.0', flinkVersion: '2.3.0' };
  const { targets, defaults } = parseDispatchConfig(stringify(deploymentConfig(cluster)));
  expect(targets['default']).toMatchObject({
    namespace: 'n',
    access: { kind: 'kubeconfig', path: '/k', context: 'c' },
  });
  expect(defaults.image).toBe('flink:2.3.0');
});
