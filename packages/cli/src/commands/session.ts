import { checkedCluster } from '../clusters/checked-cluster.ts';
import { has, type Execute } from '../command.ts';
import { connect } from '../clusters/connect.ts';
import { sessionShell } from '../terminal/session-shell.ts';
import { createCluster } from '../clusters/create.ts';
import { printObjects } from '../clusters/dry-run.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { printJson, table, type Io } from '../terminal/io.ts';
import { findNativeCluster, listNativeClusters } from '../clusters/native-clusters.ts';
import { refuseWhileJobsRun, removeCluster } from '../clusters/removal.ts';
import { clusterRequest } from '../flags/request.ts';
import { selectCluster } from '../flags/select.ts';
import { namespaceOf, readSettingsWithOld, targetOf, type Settings } from '../flags/settings.ts';

/**
 * kubernetes-session.sh: makes a session cluster; with execution.attached=true it takes commands for it, or for the one that
 * runs by that name.
 */
export const start: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const cluster = checkedCluster(io, clusterRequest(settings, parsed, 'session'));
  if (has(parsed, 'dry-run')) {
    printObjects(io, parsed, { ...cluster, owner: cluster.deployment });
    return 0;
  }
  const kubernetes = await connect(settings, io);
  const attached = settings.effective['execution.attached'] === 'true';
  const { clusterId, namespace } = cluster;
  const standing = attached ? await findNativeCluster(kubernetes.api, namespace, clusterId) : undefined;
  if (standing?.mode === 'session') return sessionShell(io, kubernetes, standing);
  const started = io.clock.now();
  await createCluster(kubernetes.api, { ...cluster, owner: cluster.deployment });
  const took = io.clock.now() - started;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, createdInMs: took });
  else io.out(`Session cluster ${clusterId} created in namespace ${namespace} (${took} ms)\n`);
  return attached ? sessionShell(io, kubernetes, cluster) : 0;
};

export const stop: Execute = async (io, parsed) => {
  const settings = sessionSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const cluster = await selectCluster(kubernetes, settings, parsed.args[0]);
  if (!has(parsed, 'force')) await refuseWhileJobsRun(kubernetes, cluster);
  const left = await removeCluster(io, kubernetes, cluster);
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
  return sessionShell(io, kubernetes, await selectCluster(kubernetes, settings, parsed.args[0]));
};

/** Flags of kubernetes-session.sh; the target is always the session's (KubernetesSessionCli). */
function sessionSettings(io: Io, parsed: ParsedFlags): Settings {
  const settings = readSettingsWithOld(io, parsed, '');
  const target = { 'execution.target': targetOf('session') };
  return { ...settings, options: { ...settings.options, ...target }, effective: { ...settings.effective, ...target } };
}
