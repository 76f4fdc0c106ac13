import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FlinkDistribution } from './distribution.ts';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

/**
 * Brings what runs SQL scripts to its place in a distribution: Flink's images have it there, and the Python packages of which
 * distributions are made do not. @throws Error where it is not there and Maven cannot fetch it
 */
export async function ensureSqlGateway({ version, flinkHome }: FlinkDistribution): Promise<void> {
  const name = `flink-sql-gateway-${version}.jar`;
  const opt = join(flinkHome, 'opt');
  if (existsSync(join(opt, name))) return;
  const work = await mkdtemp(join(flinkHome, '.sql-gateway-'));
  try {
    const artifact = `org.apache.flink:flink-sql-gateway:${version}`;
    const argv = ['-q', '-B', COPY, `-Dartifact=${artifact}`, `-DoutputDirectory=${work}`];
    await promisify(execFile)('mvn', argv, { cwd: work });
    await rename(join(work, name), join(opt, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
