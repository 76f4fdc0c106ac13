import { describeError } from '../../lib/core/errors.ts';
import { benchManifest } from './jar-manifest.ts';

/**
 * What a jar of 150 MB with 12 000 entries costs before its run is accepted, on an S3 server of somebody else: requests,
 * bytes and time. `--strict`: exit code 1 when a goal is missed. Needs a JDK and Python 3.
 */
try {
  const goals = await benchManifest();
  const missed = goals.filter(({ pass }) => !pass);
  for (const { what, pass } of goals) console.log(`${pass ? 'met   ' : 'missed'}  ${what}`);
  process.exitCode = process.argv.includes('--strict') && missed.length > 0 ? 1 : 0;
} catch (error) {
  console.error(`bench:jar: ${describeError(error)}`);
  process.exitCode = 1;
}
