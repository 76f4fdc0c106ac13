import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ensureArchivedJava } from './flink/class-archive.ts';
import { ensureFlink } from './flink/distribution.ts';
import { buildExampleJobs } from './flink/example-jobs.ts';
import type { Image } from '../../packages/local-kubernetes/src/node/images.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';

/** Runs the local Kubernetes until Ctrl-C. Arguments: Flink versions (default 2.3.0). */
async function main(versions: readonly string[]): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const images: Record<string, Image> = { busybox: {} };
  for (const version of versions) {
    const flink = await ensureFlink({ version, log });
    const { wordCount, orderTotals, failingJob } = await buildExampleJobs(flink);
    const files = Object.fromEntries(
      [wordCount, orderTotals, failingJob].map((jar) => [`/opt/flink/usrlib/${basename(jar)}`, jar]),
    );
    for (const name of [`flink:${version}`, `flink:${version.split('.').slice(0, 2).join('.')}`])
      images[name] = { flinkHome: flink.flinkHome, javaHome: await ensureArchivedJava(flink), files };
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'flink-dispatch-'));
  const port = Number(process.env['PORT'] ?? 0);
  const kubernetes = await startKubernetes({ dataDir, images, log, port });
  const kubeconfig = join(dataDir, 'kubeconfig');
  await writeFile(kubeconfig, kubernetes.kubeconfig, { mode: 0o600 });
  log(`images: ${Object.keys(images).join(', ')}`);
  process.stdout.write(`export KUBECONFIG=${kubeconfig}\n`);
  const stop = (): void => {
    void kubernetes.stop().then(() => rm(dataDir, { recursive: true, force: true }));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

const versions = process.argv.slice(2);
await main(versions.length > 0 ? versions : ['2.3.0']);
