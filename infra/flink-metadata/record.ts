import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { javaTool } from '../local/flink/tools.ts';

// Has the Flinks of the given distributions take snapshots of one job, on this machine, and say what is in them:
//   npm run record:metadata -- <folder of Flink 1.20.0> <folder of Flink 2.3.0>

const TARGET = fileURLToPath(new URL('../../test/fixtures/flink/metadata', import.meta.url));
const RECORDER = fileURLToPath(new URL('RecordSnapshots.java', import.meta.url));

for (const home of process.argv.slice(2)) {
  const lib = join(home, 'lib');
  const jars = readdirSync(lib).filter((name) => /^(flink-dist|log4j)/.test(name));
  const classPath = jars.map((name) => join(lib, name)).join(':');
  const classes = mkdtempSync(join(tmpdir(), 'flink-metadata-'));
  execFileSync(javaTool('javac'), ['-nowarn', '-cp', classPath, '-d', classes, RECORDER]);
  const into = join(TARGET, basename(home));
  execFileSync(javaTool('java'), ['-Xmx1g', '-cp', `${classes}:${classPath}`, 'RecordSnapshots', into], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  rmSync(classes, { recursive: true });
}
