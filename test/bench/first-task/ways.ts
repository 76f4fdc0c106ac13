import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Run } from '../../cluster/support/dispatcher.ts';
import { kubectl, LAB } from '../../cluster/support/lab.ts';
import { JAR, optionsOf, type StartWay } from './way.ts';

const run = promisify(execFile);

/** Says at its end what a command took of the processor. */
const TIMED = 'TIMEFORMAT="%U %S"; time "$0" "$@"';

/** `flink run`, as its users have it. */
export const CLIENT: StartWay = {
  name: 'bin/flink run',
  async start(place) {
    const { flink, tenant } = place;
    const clusterId = `client-${randomBytes(4).toString('hex')}`;
    const names = { 'kubernetes.cluster-id': clusterId, 'kubernetes.namespace': tenant.namespace };
    const options = Object.entries({ ...names, ...optionsOf(place) }).map(([key, value]) => `-D${key}=${value}`);
    const action = flink.startsWith('1.') ? 'run-application' : 'run';
    const env = { ...process.env, FLINK_CONF_DIR: join(LAB, 'flink', flink, 'conf') };
    const argv = [action, '--target', 'kubernetes-application', ...options, JAR];
    const client = ['-c', TIMED, join(LAB, 'flink', flink, 'bin', 'flink'), ...argv];
    const { stderr } = await run('bash', client, { env, timeout: 180_000 });
    const [user = NaN, system = NaN] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
    return {
      clusterId,
      caller: user + system,
      stop: async () => {
        await kubectl('delete', 'deployment', '-n', tenant.namespace, clusterId, '--cascade=foreground');
      },
    };
  },
};

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}

/** A message to the functions, which are this process' own; with `fastStart` or as it is. */
export function ours(name: string, fastStart: boolean | 'short'): StartWay {
  return {
    name,
    async start(place) {
      const { flink, tenant, storage, image, cores } = place;
      const component = (memory: string): object => ({ resource: { cpu: cores, memory } });
      const spec = {
        ...{ image, job: { jarURI: JAR, kind: 'batch' }, fastStart },
        ...{ jobManager: component('900m'), taskManager: component('1000m') },
        flinkConfiguration: {
          'kubernetes.jobmanager.cpu.limit-factor': '1',
          'kubernetes.taskmanager.cpu.limit-factor': '1',
        },
      };
      const { s3, ledgerBucket } = storage;
      const jars = { s3, ledgerBucket, delivery: { kind: 'fetch', urlTtl: 3_600_000 } } as const;
      const before = process.cpuUsage();
      const one = await new Run({ tenant, version: flink, spec, jars }).start();
      await one.until(({ attempts }) => attempts.length > 0, 60);
      return {
        clusterId: one.ref.clusterId,
        caller: secondsOf(process.cpuUsage(before)),
        stop: async () => {
          await one.cancel();
          await one.closed(180);
          await one.stop();
        },
      };
    },
  };
}
