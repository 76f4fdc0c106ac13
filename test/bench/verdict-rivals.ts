import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { kubectl, LAB } from '../cluster/support/lab.ts';

const run = promisify(execFile);

/** Seconds until somebody who watches it this way is told of a failure; `undefined`: not within the limit. */
export interface Told {
  /** A Deployment's condition Progressing=False, which `kubectl rollout status` waits for. */
  readonly rollout: number | undefined;
  /** A job in FAILED in `flink list --all` of Flink's own client. */
  readonly list: number | undefined;
}

/** Watches a cluster that nobody follows, both ways at once. */
export async function watchRivals(ref: ClusterRef, version: string, from: number, limit: number): Promise<Told> {
  const [rollout, list] = await Promise.all([
    until(from, limit, () => isStuck(ref)),
    until(from, limit, () => listsFailure(ref, version)),
  ]);
  return { rollout, list };
}

async function until(from: number, limit: number, told: () => Promise<boolean>): Promise<number | undefined> {
  while (Date.now() - from < limit * 1000) {
    if (await told()) return (Date.now() - from) / 1000;
    await sleep(1000);
  }
  return undefined;
}

async function isStuck({ namespace, clusterId }: ClusterRef): Promise<boolean> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Progressing")].status}';
  return (await kubectl('get', 'deployment', clusterId, '-n', namespace, '-o', path).catch(() => '')) === 'False';
}

async function listsFailure({ namespace, clusterId }: ClusterRef, version: string): Promise<boolean> {
  const home = join(LAB, 'flink', version);
  const options = [`-Dkubernetes.namespace=${namespace}`, `-Dkubernetes.cluster-id=${clusterId}`];
  const env = { ...process.env, FLINK_CONF_DIR: join(home, 'conf') };
  const argv = ['list', '--all', '--target', 'kubernetes-application', ...options];
  const { stdout } = await run(join(home, 'bin/flink'), argv, { env, timeout: 30_000 }).catch(() => ({ stdout: '' }));
  return stdout.includes('(FAILED)');
}
