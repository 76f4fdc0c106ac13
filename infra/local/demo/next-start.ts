import { describeError } from '../../../lib/core/errors.ts';
import { archivedJava, ensureArchivedJava } from '../flink/class-archive.ts';
import { ensureFlink } from '../flink/distribution.ts';
import type { Progress } from '../progress.ts';

/** Once for each Flink and Java: the next demo's JVMs find their classes ready. Nothing depends on it. */
export async function prepareNextStart(progress: Progress): Promise<void> {
  const flink = await ensureFlink({ log: () => undefined });
  if ((await archivedJava(flink)) !== undefined) return;
  await progress.stage('Archiving Flink’s classes: later starts take less time', async (detail) => {
    await ensureArchivedJava(flink).catch((error: unknown) => {
      detail(`not done: ${describeError(error)}`);
    });
  });
}
