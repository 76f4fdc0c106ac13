import { expect, it } from 'vitest';
import { parseDemoOptions } from '../../infra/local/demo/options.ts';

it('runs on this machine alone by default', () => {
  expect(parseDemoOptions([])).toEqual({ help: false, stay: false });
});

it('takes a cluster of the caller, which has to reach this machine', () => {
  const args = ['--kubeconfig', 'k', '--context', 'c', '--service-account', 'flink', '--host', '10.0.0.1', '--stay'];
  expect(parseDemoOptions(args)).toEqual({
    help: false,
    stay: true,
    host: '10.0.0.1',
    cluster: { kubeconfig: 'k', context: 'c', serviceAccount: 'flink' },
  });
  expect(() => parseDemoOptions(['--context', 'c'])).toThrow('--host is needed');
});

it.each([[['--namespace', 'n']], [['--host', 'h']], [['--what']], [['jar']]])('refuses %j', (args) => {
  expect(() => parseDemoOptions(args)).toThrow();
});
