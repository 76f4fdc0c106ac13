import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Stack } from '../stack.ts';

const CLI = join(import.meta.dirname, '../../cli.mjs');

export interface Dashboard {
  /** With the token for writes. */
  readonly url: string;
  stop(): void;
}

/**
 * `flink-dispatch dashboard` on the stack's ledger, as a person would start it; it ends with this process.
 * @throws Error when it prints no address
 */
export async function startDashboard({
  aws: { environment },
  deployment: { ledgerBucket, runQueueUrl, messageQueueUrl, scheduleGroupName },
}: {
  readonly aws: Pick<Stack['aws'], 'environment'>;
  readonly deployment: Pick<
    Stack['deployment'],
    'ledgerBucket' | 'runQueueUrl' | 'messageQueueUrl' | 'scheduleGroupName'
  >;
}): Promise<Dashboard> {
  const queues = ['--runQueue', runQueueUrl, '--queue', messageQueueUrl];
  const places = ['--ledger', ledgerBucket, ...queues, '--group', scheduleGroupName];
  const child = spawn(process.execPath, [CLI, 'dashboard', '--allow-actions', ...places], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill();
  process.once('exit', stop);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const line = once(createInterface({ input: child.stdout }), 'line');
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the dashboard did not start: ${said}`);
  });
  const [url] = (await Promise.race([line, ended])) as [string];
  ended.catch(() => undefined);
  return { url, stop };
}
