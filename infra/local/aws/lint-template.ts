// Makes the release of serverless.yml and checks its template with cfn-lint, which is installed first where it is not there yet.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { run } from '../process.ts';
import { buildRelease } from '../../release.ts';

const VERSION = '1.58.0';

const folder = await mkdtemp(join(tmpdir(), 'lint-template-'));
try {
  const release = join(folder, 'release');
  const [program] = await Promise.all([install(join(folder, 'install.log')), buildRelease(release)]);
  // Ends with an error for a warning as well.
  await run(program, [join(release, 'template.json')], {
    folder,
    logFile: join(folder, 'cfn-lint.log'),
    environment: process.env,
  });
  process.stdout.write('cfn-lint has nothing to say of the release’s template\n');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A virtual environment outside of the clone, complete or absent. Answers the program. */
async function install(logFile: string): Promise<string> {
  const venv = join(cacheFolder(), `cfn-lint-${VERSION}`);
  const python = join(venv, 'bin', 'python');
  const program = join(venv, 'bin', 'cfn-lint');
  const done = join(venv, 'complete');
  if (await stat(done).catch(() => undefined)) return program;
  await rm(venv, { recursive: true, force: true });
  await mkdir(cacheFolder(), { recursive: true });
  const options = { folder: cacheFolder(), logFile, environment: process.env };
  await run('python3', ['-m', 'venv', venv], options);
  await run(python, ['-m', 'pip', 'install', '-q', `cfn-lint==${VERSION}`], options);
  await mkdir(done);
  return program;
}
