import { describeError } from '../../lib/core/errors.ts';
import { benchImage } from './jar-image.ts';
import { benchManifest } from './jar-manifest.ts';

/**
 * What a jar of 150 MB with 12 000 entries costs on an S3 server of somebody else, before its run is accepted and, in
 * the registry of Docker, until its image has a digest: requests, bytes and time. `--strict`: exit code 1 when a goal is
 * missed. Needs a JDK, Python 3 and apt; `crane` is measured beside when CRANE or the PATH has it.
 */
try {
  const goals = [...(await benchManifest()), ...(await benchImage())];
  const missed = goals.filter(({ pass }) => !pass);
  for (const { what, pass } of goals) console.log(`${pass ? 'met   ' : 'missed'}  ${what}`);
  process.exitCode = process.argv.includes('--strict') && missed.length > 0 ? 1 : 0;
} catch (error) {
  console.error(`bench:jar: ${describeError(error)}`);
  process.exitCode = 1;
}
