import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Takes whatever is sent to it until the test ends; answers its URL. */
export async function listens(host: string): Promise<string> {
  const server = createServer((_, answer) => answer.writeHead(204).end()).listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://${host}:${(server.address() as AddressInfo).port}/`;
}
