import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { kubernetesApiSuite } from './kubernetes-api-suite.ts';
import { openWorld } from './kubernetes-api-world.ts';

kubernetesApiSuite('local', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'flink-dispatch-test-'));
  const complaints: string[] = [];
  const kubernetes = await startKubernetes({
    dataDir,
    images: { 'test-shell:1': {} },
    log: (line) => complaints.push(line),
    backOff: { first: 500, most: 2000 },
  });
  const world = await openWorld(kubernetes.kubeconfig, 'test-shell:1');
  return {
    ...world,
    async close() {
      await world.close();
      await kubernetes.stop();
      const left = await readdir(dataDir);
      await rm(dataDir, { recursive: true, force: true });
      // The first line says where the server listens; any other is an error of its own.
      expect(complaints.slice(1)).toEqual([]);
      expect(left).toEqual([]);
    },
  };
});

if (process.env['KUBECONFIG'] === undefined) {
  process.stderr.write('The Kubernetes API contract runs on the local server only: set KUBECONFIG for a real one.\n');
} else {
  const [file = ''] = kubeconfigFiles(process.env);
  const image = process.env['FLINK_DISPATCH_SHELL_IMAGE'] ?? 'localhost/flink:2.3.0';
  kubernetesApiSuite('the one of KUBECONFIG', async () => openWorld(await readFile(file, 'utf8'), image));
}
