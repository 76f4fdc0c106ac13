import { checkedCluster } from '../checked-cluster.ts';
import { has, type Execute } from '../command.ts';
import { connect, type Kubernetes } from '../connect.ts';
import { createCluster } from '../create.ts';
import { printObjects } from '../dry-run.ts';
import type { ParsedFlags } from '../flags.ts';
import { printJson, table, type Io } from '../io.ts';
import { listNativeClusters, type NativeCluster } from '../native-clusters.ts';
import { clusterRequest } from '../request.ts';
import { selectCluster } from '../select.ts';
import { oldSessionOptions } from '../session-flags.ts';
import { namespaceOf, readSettings, targetOf, type Settings } from '../settings.ts';

/** What a person would restore jobs from. */
const KEEP_STATE = { highAvailability: false };
/** Longer than the grace period of a pod. */
const PATIENCE = 60_000;
const REPL_HELP = 'help - show these commands\nstop - stop the session cluster\nquit - leave it running\n';

/** kubernetes-session.sh: makes a session cluster, and with execution.attached=true stays to take commands. */
export const start: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const cluster = checkedCluster(io, clusterRequest(settings, parsed, 'session'));
  if (has(parsed, 'dry-run')) {
    printObjects(io, parsed, { ...cluster, owner: cluster.deployment });
    return 0;
  }
  const kubernetes = await connect(settings, io);
  const started = io.clock.now();
  await createCluster(kubernetes.api, { ...cluster, owner: cluster.deployment });
  const { clusterId, namespace } = cluster;
  const took = io.clock.now() - started;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, createdInMs: took });
  else io.out(`Session cluster ${clusterId} created in namespace ${namespace} (${took} ms)\n`);
  return settings.effective['execution.attached'] === 'true' ? converse(io, kubernetes, cluster) : 0;
};

export const stop: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const cluster = await selectCluster(kubernetes, settings, parsed.args[0]);
  await kubernetes.clusters.remove(cluster, KEEP_STATE);
  const left = await remains(io, kubernetes, cluster);
  const { clusterId, namespace } = cluster;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, stopped: left.length === 0, left });
  else if (left.length === 0) io.out(`Session cluster ${clusterId} stopped\n`);
  else io.out(`Session cluster ${clusterId} is being removed; still there: ${left.join(', ')}\n`);
  return 0;
};

export const list: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const all = await listNativeClusters(kubernetes.api, namespaceOf(settings));
  const sessions = all.filter(({ mode }) => mode === 'session');
  if (has(parsed, 'json')) {
    printJson(io, sessions);
  } else if (sessions.length === 0) {
    io.err(`no session clusters in namespace ${namespaceOf(settings)}\n`);
  } else {
    const rows = sessions.map(({ clusterId, image, ready, createdAt }) => {
      return [clusterId, ready ? 'ready' : 'starting', new Date(createdAt).toISOString(), image];
    });
    io.out(table([['CLUSTER', 'STATE', 'CREATED', 'IMAGE'], ...rows]));
  }
  return 0;
};

export const attach: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const cluster = await selectCluster(kubernetes, settings, parsed.args[0]);
  const facts = await kubernetes.rest(cluster).jobManager.look();
  io.err(
    `session cluster ${cluster.clusterId}: Flink ${facts.flinkVersion}, ${facts.taskManagers} TaskManagers, ${facts.jobs.length} jobs\n`,
  );
  return converse(io, kubernetes, cluster);
};

/** Flags of kubernetes-session.sh; the target is always the session's (KubernetesSessionCli). */
function sessionSettings(io: Io, parsed: ParsedFlags): Settings {
  const settings = readSettings(io, { ...parsed, properties: { ...oldSessionOptions(parsed), ...parsed.properties } });
  const target = { 'execution.target': targetOf('session') };
  return { ...settings, options: { ...settings.options, ...target }, effective: { ...settings.effective, ...target } };
}

async function converse(
  io: Io,
  kubernetes: Kubernetes,
  cluster: Pick<NativeCluster, 'clusterId' | 'namespace'>,
): Promise<number> {
  io.err(REPL_HELP);
  for await (const line of io.input()) {
    const command = line.trim();
    if (command === 'quit') return 0;
    if (command === 'stop') {
      await kubernetes.clusters.remove(cluster, KEEP_STATE);
      io.out(`Session cluster ${cluster.clusterId} stopped\n`);
      return 0;
    }
    if (command !== 'help' && command !== '') io.err(`unknown command '${command}'\n`);
    io.err(REPL_HELP);
  }
  return 0;
}

/** What is still there after a while of removing. */
async function remains(io: Io, kubernetes: Kubernetes, cluster: NativeCluster): Promise<readonly string[]> {
  const deadline = io.clock.now() + PATIENCE;
  for (;;) {
    const left = await kubernetes.clusters.remains(cluster, KEEP_STATE);
    if (left.length === 0 || io.clock.now() >= deadline || io.interrupted.aborted) return left;
    await kubernetes.clusters.remove(cluster, KEEP_STATE);
    await io.clock.sleep(250);
  }
}
