import type { Hono } from 'hono';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createS3LockReader } from '../../lib/run/store/s3-locks.ts';
import { createS3RunList } from '../../lib/run/store/s3-run-index.ts';
import { createS3EvidenceReader } from '../../lib/run/store/s3-evidence-store.ts';
import { createS3SampleReader } from '../../lib/run/store/history/s3-sample-store.ts';
import { findRun } from '../../lib/operate/find-run.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { localDoor } from '../../lib/view/server/door.ts';
import { createApp } from '../../lib/view/server/app.ts';
import type { ViewPorts } from '../../lib/view/server/ports.ts';
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
  const ledger = createS3Ledger(bucket);
  const runs = createS3RunList(bucket);
  const ports: ViewPorts = {
    ledger: 'ledger',
    clock: { now: () => Date.parse('2026-11-21T07:00:00Z') },
    rows: (wish) => runs.rows(wish),
    run: (named) => findRun(named, { kind: 'all' }, { ledger, runs }),
    evidence: createS3EvidenceReader(bucket),
    samples: createS3SampleReader(bucket),
    lock: createS3LockReader(bucket),
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
