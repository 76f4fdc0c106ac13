import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../../infra/build-cli.mjs';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { Connection } from '../../lib/kubernetes/access/connection.ts';
import { ownerMetadata } from '../../lib/kubernetes/cluster/owner-metadata.ts';
import type { ConfFiles, FlinkCluster } from '../../lib/flink/cluster.ts';
import { buildCluster } from '../../lib/flink/native/build-cluster.ts';
import { LAB } from '../cluster/support/lab.ts';
import { createFloor } from './floor.ts';
import { ownerOf } from '../fakes/ids.ts';

const run = promisify(execFile);

export const FLINK_VERSION = '2.3.0';
const FLINK = join(LAB, 'flink', FLINK_VERSION);
const CONF = join(FLINK, 'conf');
const JAR = 'local:///opt/flink/usrlib/WordCount.jar';
const OWNER = ownerOf('0123456789abcdef0123');

/** One way of creating an application cluster. */
export interface Way {
  readonly name: 'client' | 'process' | 'warm' | 'floor';
  readonly samples: number;
  readonly warmUps: number;
  /** What is not measured; what it answers with is. */
  prepare(clusterId: string): () => Promise<void>;
}

/** All of them create the same cluster. `logs`: a folder for the log files of Flink's client. */
export async function createWays(
  connection: Connection,
  api: KubernetesApi,
  { namespace, logs }: { readonly namespace: string; readonly logs: string },
): Promise<readonly Way[]> {
  const conf = readConf();
  const optionsOf = (clusterId: string) => ({
    'kubernetes.cluster-id': clusterId,
    'kubernetes.namespace': namespace,
    'kubernetes.container.image.ref': `localhost/flink:${FLINK_VERSION}`,
  });
  const build = (clusterId: string) => clusterOf(optionsOf(clusterId), conf);
  const argvOf = (clusterId: string) => {
    const options = Object.entries(optionsOf(clusterId)).map(([key, value]) => `-D${key}=${value}`);
    return ['run', '-d', '--target', 'kubernetes-application', ...options, JAR];
  };
  const env = { ...process.env, FLINK_CONF_DIR: CONF, FLINK_LOG_DIR: logs };
  const clusters = createClusters(api);
  const floor = await createFloor(connection);
  return [
    {
      ...{ name: 'client', samples: 5, warmUps: 1 },
      prepare: (id) => () => execute(join(FLINK, 'bin', 'flink'), argvOf(id), env),
    },
    {
      ...{ name: 'process', samples: 15, warmUps: 2 },
      prepare: (id) => () => execute(process.execPath, [bundle, ...argvOf(id)], env),
    },
    {
      ...{ name: 'warm', samples: 15, warmUps: 8 },
      prepare: (id) => async () => void (await clusters.apply(build(id), OWNER)),
    },
    { ...{ name: 'floor', samples: 15, warmUps: 8 }, prepare: (id) => floor.prepare(build(id)) },
  ];
}

/** The JSON of the objects is made here; in the warm function that is part of the work. */
function clusterOf(options: Readonly<Record<string, string>>, conf: ConfFiles): FlinkCluster {
  return buildCluster({
    ...{ flinkVersion: FLINK_VERSION, mode: 'application', conf },
    options: { ...options, 'execution.target': 'kubernetes-application' },
    program: { jars: [JAR], args: [] },
    flags: { detached: true },
    marks: ownerMetadata(OWNER),
  });
}

function readConf(): ConfFiles {
  return Object.fromEntries(readdirSync(CONF).map((name) => [name, readFileSync(join(CONF, name), 'utf8')]));
}

async function execute(file: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await run(file, argv, { env, timeout: 120_000 });
}
