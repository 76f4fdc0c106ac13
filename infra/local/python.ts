import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import type { Progress } from './progress.ts';
import { run } from './process.ts';

export interface PythonEnvironment {
  /** Python 3 with venv. */
  readonly python: string;
  /** Of its folder in the cache: another version has another name. */
  readonly name: string;
  /** A requirements.txt that names all of it. */
  readonly requirements: string;
  /** What a person is told of its size. */
  readonly size: string;
  readonly progress: Progress;
  /** The requirements leave out what others of them would bring along, because it is not needed. */
  readonly isComplete?: boolean;
}

/** A virtual environment outside of the clone, complete or absent. Answers its Python. */
export async function installPython({
  python,
  name,
  requirements,
  size,
  progress,
  isComplete = false,
}: PythonEnvironment): Promise<string> {
  const folder = join(cacheFolder(), name);
  const binary = join(folder, 'bin', 'python');
  if (await exists(binary)) return binary;
  await mkdir(cacheFolder(), { recursive: true });
  // Threads of one process may install it at the same time.
  const part = await mkdtemp(`${folder}.part-`);
  const logFile = `${part}.log`;
  const options = { folder: cacheFolder(), logFile, environment: process.env };
  const alone = isComplete ? ['--no-deps'] : [];
  try {
    await progress.stage(`Installing ${name} into ${folder}`, async (detail) => {
      detail(`${size}, once`);
      await run(python, ['-m', 'venv', part], options);
      await run(join(part, 'bin', 'python'), ['-m', 'pip', 'install', ...alone, '-r', requirements], options);
    });
    await rename(part, folder).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await exists(binary))) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
    await rm(logFile, { force: true });
  }
  return binary;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
