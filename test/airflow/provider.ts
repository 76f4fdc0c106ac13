import { cp, mkdir, readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hostEnvironment } from '../../infra/local/aws/ministack.ts';
import { run } from '../../infra/local/process.ts';
import type { Progress } from '../../infra/local/progress.ts';
import { installPython } from '../../infra/local/python.ts';

export const PROVIDER = join(import.meta.dirname, '..', '..', 'integrations', 'airflow');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/** Python with Airflow, outside of the clone, and nothing of this project. */
export async function installAirflow(progress: Progress): Promise<string> {
  // AIRFLOW_REQUIREMENTS: those of another version.
  const requirements = process.env['AIRFLOW_REQUIREMENTS'] ?? REQUIREMENTS;
  const version = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 10);
  return installPython({ python: 'python3', name: `airflow-${version}`, requirements, size: '300 MB', progress });
}

/** The provider as pip makes it of its sources, with its metadata, in a folder for PYTHONPATH. */
export async function installProvider(python: string, folder: string): Promise<string> {
  const source = join(folder, 'provider');
  const site = join(folder, 'site');
  await mkdir(source);
  // pip builds in the folder of the sources.
  await cp(PROVIDER, source, { recursive: true, dereference: true });
  const options = ['--no-deps', '--no-build-isolation', '--no-index', '--target', site];
  await run(python, ['-m', 'pip', 'install', ...options, source], {
    folder,
    logFile: join(folder, 'pip.log'),
    environment: hostEnvironment(),
  });
  return site;
}
