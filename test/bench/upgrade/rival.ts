import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clientVariables, kubectl, LAB, smallCluster } from '../../cluster/support/lab.ts';
import type { Place, StreamWay, Version } from './way.ts';

const run = promisify(execFile);

/**
 * What a team scripts: `bin/flink stop`, take the savepoint's path out of what it prints, delete the old cluster, start
 * the next one at once. It waits for nothing that it could leave out. The old JobManager has to stay up until it is
 * deleted: with Flink's default it ends after its job, and Kubernetes, which begins its container again, runs the job
 * anew, from nothing, beside the new one.
 */
export async function script({ flink, tenant: { namespace }, storage, jars, options }: Place): Promise<StreamWay> {
  const uris = { first: await storage.uploadJar(jars.first), changed: await storage.uploadJar(jars.changed) };
  let clusterId = '';
  const client = async (
    action: string,
    flags: Readonly<Record<string, string>>,
    ...rest: string[]
  ): Promise<string> => {
    const D = Object.entries({ 'kubernetes.namespace': namespace, 'kubernetes.cluster-id': clusterId, ...flags });
    const argv = [
      action,
      '--target',
      'kubernetes-application',
      ...D.map(([key, value]) => `-D${key}=${value}`),
      ...rest,
    ];
    const env = { ...process.env, ...clientVariables(flink) };
    const { stdout } = await run(join(LAB, 'flink', flink, 'bin', 'flink'), argv, { env, timeout: 180_000 });
    return stdout;
  };
  const start = async (version: Version, args: readonly string[], ...from: string[]): Promise<void> => {
    clusterId = `script-${randomBytes(4).toString('hex')}`;
    const flags = {
      ...smallCluster(flink),
      ...options,
    };
    await client(flink.startsWith('1.') ? 'run-application' : 'run', flags, ...from, uris[version], ...args);
  };
  return {
    name: 'bin/flink stop + run-application -s',
    start,
    async upgrade(version, args, jobId) {
      const old = clusterId;
      const said = await client(
        'stop',
        {},
        '--savepointPath',
        options['execution.checkpointing.savepoint-dir'] ?? '',
        jobId,
      );
      const path = /Savepoint completed\. Path: (\S+)/.exec(said)?.[1];
      if (path === undefined) throw new Error(`bin/flink stop names no savepoint: ${said}`);
      await kubectl('delete', 'deployment', '-n', namespace, old, '--wait=false');
      await start(version, args, '-s', path);
    },
    stop: async () => void (await kubectl('delete', 'deployment', '-n', namespace, clusterId)),
  };
}
