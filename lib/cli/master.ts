import { existsSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { kubeconfigFiles } from '../cluster/kubeconfig.ts';
import { readTextFile } from './conf-dir.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage.ts';

const Kubeconfig = z.object({
  'current-context': z.string().nullish(),
  clusters: z.array(z.object({ name: z.string(), cluster: z.object({ server: z.string().nullish() }) })).nullish(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string() }) })).nullish(),
});

/**
 * The context of the kubeconfig for an API server: the current one where several have it.
 * @throws UsageError when there is none
 */
export function contextOfServer(io: Io, server: string): string {
  const files = kubeconfigFiles(io.env).filter((file) => existsSync(file));
  const configs = files.map((file) => Kubeconfig.parse(parse(readTextFile(file, 'KUBECONFIG'))));
  const clusters = configs.flatMap((config) => config.clusters ?? []);
  const contexts = configs.flatMap((config) => config.contexts ?? []);
  const matching = contexts.filter(({ context }) =>
    clusters.some(({ name, cluster }) => name === context.cluster && sameServer(cluster.server ?? '', server)),
  );
  const current = configs.map((config) => config['current-context']).find(Boolean);
  const found = matching.find(({ name }) => name === current) ?? matching[0];
  if (found !== undefined) return found.name;
  const known = [...new Set(clusters.flatMap(({ cluster }) => cluster.server ?? []))].join(', ') || 'none';
  throw new UsageError(`the kubeconfig has no context for the API server ${server}; it has: ${known}`);
}

function sameServer(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href;
}
