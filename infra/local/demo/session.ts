import { rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDeploymentClient, type DeploymentClient } from '../aws/client.ts';
import type { Deployment } from '../aws/deploy.ts';
import { cacheFolder } from '../cache.ts';
import type { Stack } from '../stack.ts';

/** Where a demo that stays up says how to reach it. */
const FILE = join(cacheFolder(), 'demo.json');

interface Session {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly deployment: Deployment;
}

/** Until this process ends. */
export async function announceSession({ aws: { url, environment }, deployment }: Stack): Promise<void> {
  const session: Session = { url, environment, deployment };
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(FILE, JSON.stringify(session), { mode: 0o600 });
  process.once('exit', () => rmSync(FILE, { force: true }));
}

/** A client of the demo that is up. @throws Error when none is. */
export async function joinSession(): Promise<{ readonly client: DeploymentClient; readonly deployment: Deployment }> {
  const text = await readFile(FILE, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error("no demo is up: start one with 'npm run demo -- --stay'");
  const { url, environment, deployment } = JSON.parse(text) as Session;
  return { client: createDeploymentClient({ url, environment }, deployment), deployment };
}
