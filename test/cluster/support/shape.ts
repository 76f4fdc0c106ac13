import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { javaTool } from '../../../infra/local/flink/tools.ts';

const execute = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'Shape.java');

/** The jar of Shape.java, compiled against the distribution at `flinkHome`; it runs on every version from there on. */
export async function buildShape(flinkHome: string): Promise<Buffer> {
  const work = await mkdtemp(join(tmpdir(), 'shape-'));
  try {
    const lib = join(flinkHome, 'lib');
    const jars = (await readdir(lib)).filter((name) => name.endsWith('.jar')).map((name) => join(lib, name));
    const classes = join(work, 'classes');
    const javac = ['--release', '11', '-nowarn', '-classpath', jars.join(':'), '-d', classes, SOURCE];
    await execute(javaTool('javac'), javac);
    const jar = join(work, 'shape.jar');
    await execute(javaTool('jar'), ['--create', '--file', jar, '--main-class', 'Shape', '-C', classes, '.']);
    return await readFile(jar);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
