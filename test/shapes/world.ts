import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureArchivedJava } from '../../infra/local/flink/class-archive.ts';
import { ensureFlink } from '../../infra/local/flink/distribution.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { mainContainer } from '../../lib/kubernetes/cluster/containers.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import type { Images } from '../../packages/local-kubernetes/src/node/images.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { Run } from '../cluster/support/dispatcher.ts';
import { imageOf } from '../cluster/support/lab.ts';
import { buildShape } from '../cluster/support/shape/shape.ts';

const JAR = '/opt/flink/usrlib/shape.jar';
const LOG_BYTES = 4 * 1024 * 1024;
/** Seconds: for JVMs that start beside others on a busy machine. */
const PATIENCE = 1_800;
/** JVMs start with less of the processor; what runs in them is the same. */
const LIGHT_JVM = {
  'env.java.opts.all': '-XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote',
};

export interface ShapeWorld {
  /** Runs a main() of these steps to its event; with what its JobManager logged. */
  run(version: string, steps: string): Promise<{ readonly data: LifecycleEvent['data']; readonly log: string }>;
  stop(): Promise<void>;
}

/** The embedded Kubernetes with real Flink of these versions, oldest first, and the jar of Shape.java in every image. */
export async function openWorld(versions: readonly string[], log: (line: string) => void): Promise<ShapeWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'flink-dispatch-shapes-'));
  const homes = new Map<string, { readonly flinkHome: string; readonly javaHome: string }>();
  for (const version of versions) {
    const flink = await ensureFlink({ version, log });
    homes.set(version, { flinkHome: flink.flinkHome, javaHome: await ensureArchivedJava(flink) });
  }
  const jar = join(dataDir, 'shape.jar');
  await writeFile(jar, await buildShape(homes.get(versions[0] ?? '')?.flinkHome ?? ''));
  const images: Images = Object.fromEntries(
    [...homes].map(([version, home]) => [imageOf(version), { ...home, files: { [JAR]: jar } }]),
  );
  const kubernetes = await startKubernetes({ dataDir, images, log });
  const kubeconfig = join(dataDir, 'kubeconfig');
  await writeFile(kubeconfig, kubernetes.kubeconfig);
  const api = createKubernetesApi(await kubeconfigConnection({ files: [kubeconfig] }));
  const clusters = createClusters(api);

  /** Of the JobManager that ran main(): a second one is not let begin it. */
  const readLog = async (ref: ClusterRef): Promise<string> => {
    const { pods } = await clusters.observe(ref);
    const pod = pods.find(({ component }) => component === 'jobmanager');
    const container = mainContainer(pod)?.name ?? '';
    const read = (previous: boolean) =>
      clusters.tail(ref, pod?.name ?? '', { container, bytes: LOG_BYTES, previous }).then(({ text }) => text);
    const texts = await Promise.all([read(true), read(false)]);
    return texts.find((text) => text.includes('STEP ')) ?? texts.join('');
  };

  const tenant = { namespace: 'default', api, kubeconfig, remove: () => Promise.resolve() };
  return {
    async run(version, steps) {
      const job = { jarURI: `local://${JAR}`, entryClass: 'Shape', args: steps.split(' ') };
      let kept: Promise<string> | undefined;
      const beforeRemoval = async (ref: ClusterRef): Promise<void> => void (await (kept ??= readLog(ref)));
      const flinkConfiguration = LIGHT_JVM;
      const spec = { job, serviceAccount: 'default', deadlines: { start: '30m' }, flinkConfiguration };
      const run = new Run({ tenant, version, spec, beforeRemoval });
      try {
        await run.start();
        const { event } = await run.completed(PATIENCE);
        await run.closed(PATIENCE);
        return { data: event.data, log: (await kept) ?? '' };
      } finally {
        await run.stop();
      }
    },
    async stop() {
      await kubernetes.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
