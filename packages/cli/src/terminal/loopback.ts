import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError } from '../../../../lib/core/errors.ts';
import { UsageError } from '../flags/usage.ts';
import type { Io } from './io.ts';

/** @throws UsageError */
export function portOf(text: string | undefined): number {
  const port = Number(text ?? 0);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new UsageError(`--port ${text ?? ''}: must be a port number`);
}

/** On 127.0.0.1 alone; answers the port. @throws UsageError for a port that is taken */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new UsageError(`--port ${port}: ${describeError(error)}`)));
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Until the command is interrupted. */
export async function untilInterrupted(io: Io, server: Server): Promise<void> {
  await new Promise<void>((resolve) => io.interrupted.addEventListener('abort', () => resolve(), { once: true }));
  server.closeAllConnections();
  server.close();
}
