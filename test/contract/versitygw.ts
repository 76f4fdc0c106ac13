import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../infra/local/cache.ts';
import { run } from '../../infra/local/process.ts';

/** An S3 server for production, on a folder. */
const VERSION = 'v1.8.0';
const HOME = join(cacheFolder(), `versitygw-${VERSION}`);

export const name = `versitygw ${VERSION}`;
const program = join(HOME, 'versitygw');

/** Builds it with Go when it is not there yet; `folder` gets the log. Answers the program. */
export async function install(folder: string): Promise<string> {
  if (existsSync(program)) return program;
  await mkdir(HOME, { recursive: true });
  const environment = { ...process.env, GOBIN: HOME, CGO_ENABLED: '0' };
  const options = { folder, logFile: join(folder, 'install.log'), environment };
  await run('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSION}`], options);
  return program;
}
