import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import { installPython } from '../python.ts';

/** Python with what programs of the Table API import; pip would bring 500 MB along for functions in Python. Answers its path. */
export function ensurePyFlink(progress: Progress): Promise<string> {
  const requirements = join(import.meta.dirname, 'pyflink-requirements.txt');
  const size = '15 MB';
  return installPython({
    python: 'python3',
    name: 'pyflink-2.3.0-table',
    requirements,
    size,
    progress,
    isComplete: true,
  });
}
