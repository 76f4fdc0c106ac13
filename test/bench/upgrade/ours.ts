import { Streams } from '../../cluster/support/streams.ts';
import type { Place, StreamWay, Version } from './way.ts';

/**
 * The jar is uploaded again under its key. The functions are this process' own and the ledger is in its memory; Flink,
 * Kubernetes, the jar and the state are the real ones, as for the script.
 */
export function ours({ flink, tenant, storage, jars, options }: Place, how: 'plain' | 'prepared'): StreamWay {
  const streams = new Streams({ tenant, version: flink, storage });
  let last: readonly [Version, readonly string[]] = ['first', []];
  const upload = async (version: Version, args: readonly string[], state: 'running' | 'suspended'): Promise<void> => {
    last = [version, args];
    const job = { kind: 'streaming', upgradeMode: 'savepoint', prepareUpgrade: how === 'prepared', args, state };
    await streams.upload(jars[version], { name: streams.name, job, flinkConfiguration: options });
  };
  return {
    name: `flink-dispatch, ${how}`,
    start: (version, args) => upload(version, args, 'running'),
    upgrade: (version, args) => upload(version, args, 'running'),
    async stop() {
      await upload(...last, 'suspended');
      await streams.until(
        () => 'the stream is suspended',
        120,
        () => streams.deployment.state === 'suspended',
      );
      await streams.stop();
    },
  };
}
