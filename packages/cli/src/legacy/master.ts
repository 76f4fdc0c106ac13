import { existsSync } from 'node:fs';
import { kubeconfigFiles } from '../../../../lib/kubernetes/access/kubeconfig.ts';
import { loadFiles } from '../../../../lib/kubernetes/access/kubeconfig/load.ts';
import type { Io } from '../terminal/io.ts';
import { UsageError } from '../flags/usage.ts';

/**
 * The context of the kubeconfig for an API server: the current one where several have it.
 * @throws UsageError when there is none
 */
export function contextOfServer(io: Io, server: string): string {
  const { clusters, contexts, currentContext } = loadFiles(kubeconfigFiles(io.env).filter((file) => existsSync(file)));
  const matching = [...contexts].flatMap(([name, { cluster = '' }]) =>
    sameServer(clusters.get(cluster)?.server ?? '', server) ? [name] : [],
  );
  const found = matching.find((name) => name === currentContext) ?? matching[0];
  if (found !== undefined) return found;
  const known = [...new Set([...clusters.values()].flatMap((cluster) => cluster.server ?? []))].join(', ') || 'none';
  throw new UsageError(`the kubeconfig has no context for the API server ${server}; it has: ${known}`);
}

function sameServer(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href;
}
