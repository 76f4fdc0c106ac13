import type { Hono } from 'hono';
import { DispatchError } from '../../lib/core/errors.ts';
import { localDoor } from '../../lib/view/server/door.ts';
import { createApp } from '../../lib/view/server/app.ts';
import type { ViewPorts } from '../../lib/view/server/ports.ts';
import { s3RunPorts } from '../../lib/view/server/s3-ports.ts';
import type { FakeS3 } from '../fakes/s3.ts';

export const HOST = '127.0.0.1:8080';
const PAGE = { html: '<!doctype html><title>page</title>', script: 'export {};', style: 'a{}' };

/** The page's server on a simulated S3. */
export function appOn(
  { bucket }: FakeS3,
  more: Partial<ViewPorts> = {},
  door = localDoor(undefined, 'someone'),
  page = PAGE,
): Hono {
  const ports: ViewPorts = {
    ledger: 'ledger',
    clock: { now: () => Date.parse('2026-11-21T07:00:00Z') },
    ...s3RunPorts(bucket),
    streams: () => Promise.resolve([]),
    changes: () => Promise.resolve([]),
    stream: () => Promise.reject(new DispatchError('RunNotFound', 'there is no such stream')),
    ...more,
  };
  return createApp(ports, page, door);
}

export async function get(app: Hono, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return app.request(`http://${HOST}${path}`, { headers: { host: HOST, ...headers } });
}
