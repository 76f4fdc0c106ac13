import { describe, expect, it } from 'vitest';
import type { DispatchError } from '../../../lib/core/errors.ts';
import { hasRestTls, reachable } from '../../../lib/job/config/rest-access.ts';

const TLS = { 'security.ssl.rest.enabled': 'true' };
const EXPOSED = 'kubernetes.rest-service.exposed.type';

function fieldOf(options: Record<string, string>, kind: Parameters<typeof reachable>[1]['rest']['kind']) {
  try {
    expect(reachable({ flinkVersion: '1.20', options }, { rest: { kind } })).toBe(options);
    return undefined;
  } catch (error) {
    expect((error as DispatchError).message.length).toBeGreaterThan(40);
    return (error as DispatchError).field;
  }
}

describe('a JobManager is within reach of its target, or the request is refused', () => {
  it.each([
    ['service-proxy', {}, undefined],
    ['service-proxy', TLS, undefined],
    [
      'service-proxy',
      { ...TLS, 'security.ssl.rest.authentication-enabled': 'true' },
      'security.ssl.rest.authentication-enabled',
    ],
    ['service-proxy', { 'security.ssl.rest.authentication-enabled': 'true' }, undefined],
    ['service-proxy', { [EXPOSED]: 'NodePort' }, undefined],
    ['service-dns', TLS, 'security.ssl.rest.enabled'],
    ['service-dns', { 'security.ssl.enabled': 'true' }, 'security.ssl.enabled'],
    ['load-balancer', { ...TLS, [EXPOSED]: 'LoadBalancer' }, 'security.ssl.rest.enabled'],
    ['load-balancer', { [EXPOSED]: 'LoadBalancer' }, undefined],
    ['load-balancer', { [EXPOSED]: 'NodePort' }, EXPOSED],
    ['load-balancer', {}, EXPOSED],
    ['node-port', { [EXPOSED]: 'NodePort' }, undefined],
    ['node-port', { [EXPOSED]: 'LoadBalancer' }, undefined],
    ['node-port', { [EXPOSED]: 'ClusterIP' }, EXPOSED],
  ] as const)('%s, %o: %s', (kind, options, field) => {
    expect(fieldOf(options, kind)).toBe(field);
  });
});

it('TLS of all that Flink says holds for REST before 2.0, unless REST itself has a word', () => {
  const has = (options: Record<string, string>, flinkVersion = '1.20'): boolean =>
    hasRestTls({ options, flinkVersion });
  expect(has({ 'security.ssl.enabled': 'true' })).toBe(true);
  expect(has({ 'security.ssl.enabled': 'true' }, '2.3')).toBe(false);
  expect(has({ 'security.ssl.enabled': 'true', 'security.ssl.rest.enabled': 'false' })).toBe(false);
  expect(has(TLS, '2.3')).toBe(true);
  expect(has({})).toBe(false);
});
