import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleRecord } from '../../../../test/fixtures/records/load.ts';
import type { FakeS3 } from '../../../../test/fakes/s3.ts';
import { writeZip } from '../../../../test/job/jar/zip-writer.ts';
import { writeArchive } from '../../../../lib/flink/archive/archive.ts';
import { main } from '../../src/main.ts';
import { fakeIo } from '../fake-io.ts';
import { runCli } from '../run-cli.ts';
import { serveS3 } from '../runs/fake-ledger.ts';

const JOB = 'a'.repeat(32);
const HTML = `<html><link onload="this.media='all'"><script src="main.js"></script></html>`;
const record = sampleRecord({ state: 'closed' });
const { runId } = record;

const stub = mockClient(S3Client);
let s3: FakeS3;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ui-'));
  mkdirSync(join(folder, 'lib'));
  const files = { 'web/index.html': HTML, 'web/main.js': 'export {};', 'org/Secret.class': 'x' };
  const entries = Object.entries(files).map(([name, text]) => {
    return { name, content: Buffer.from(text), streamed: name.endsWith('js'), stored: false };
  });
  writeFileSync(join(folder, 'lib', 'flink-dist-2.3.0.jar'), writeZip(entries));
});
afterAll(() => {
  stub.restore();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  s3 = serveS3(stub);
  const attempts = record.attempts.map((attempt) => ({ ...attempt, archive: { jobs: [JOB], endedAt: 1 } }));
  s3.store(`ledger/runs/${runId}/record.json`, JSON.stringify({ ...record, attempts }));
  const archive = new Map([
    ['/jobs/overview', `{"jobs":[{"jid":"${JOB}"}]}`],
    [`/jobs/${JOB}`, '{"state":"FAILED"}'],
  ]);
  s3.store(`ledger/archive/${JOB}`, writeArchive(archive));
});

/** Runs it until it is interrupted; `use` gets the address. */
async function served<T>(flags: readonly string[], use: (url: URL) => Promise<T>): Promise<T> {
  const io = fakeIo();
  let found: (text: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (found = resolve));
  const command = main(['ui', '--run', runId, '--ledger', 'ledger', ...flags], { ...io, out: found }, '1');
  const text = await Promise.race([address, command.then(() => Promise.reject(new Error(io.stderr())))]);
  try {
    return await use(new URL(text.trim()));
  } finally {
    io.interrupt();
    expect(await command).toBe(0);
  }
}

describe('ui --run of a run whose cluster is gone', () => {
  it('serves what is archived, with the UI of the distribution that is named', async () => {
    await served(['--flink', folder], async ({ origin, hash }) => {
      expect(hash).toBe(`#/job/completed/${JOB}/overview`);
      const get = async (path: string): Promise<[number, string]> => {
        const answer = await fetch(origin + path);
        return [answer.status, await answer.text()];
      };
      expect(await get('/')).toEqual([200, HTML]);
      expect(await get('/main.js')).toEqual([200, 'export {};']);
      expect(await get(`/jobs/${JOB}?maxExceptions=10`)).toEqual([200, '{"state":"FAILED"}']);
      expect(await get('/jobs/overview')).toEqual([200, `{"jobs":[{"jid":"${JOB}"}]}`]);
      expect(JSON.parse((await get('/config'))[1])).toMatchObject({ features: { 'web-history': true } });
      // Nothing of the jar but its UI.
      for (const path of ['/jobs/none', '/../org/Secret.class', '/%2e%2e/org/Secret.class'])
        expect((await get(path))[0]).toBe(404);
    });
  });

  it('answers pages of its own alone, and changes nothing', async () => {
    await served(['--flink', folder], async ({ origin }) => {
      const page = await fetch(origin);
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("script-src 'self' 'unsafe-hashes' 'sha256-");
      expect(policy).not.toContain("script-src 'self' 'unsafe-inline'");
      const foreign = await fetch(`${origin}/jobs/overview`, { headers: { origin: 'http://evil.example' } });
      expect(foreign.status).toBe(403);
      expect((await fetch(`${origin}/jobs/${JOB}`, { method: 'PATCH' })).status).toBe(405);
    });
  });

  it.each([
    ['no distribution', [], "Flink's web UI is not on this machine"],
    ['a folder without one', ['--flink', '/nowhere'], 'holds no flink-dist jar'],
    ['another attempt', ['--attempt', '9'], 'attempt'],
  ])('with %s says what to do', async (_what, flags, words) => {
    const argv = ['ui', '--run', runId, '--ledger', 'ledger', ...flags];
    const { code, err } = await runCli(argv, { env: { HOME: '/nowhere' } });
    expect(code).toBe(2);
    expect(err).toContain(words);
  });

  it('of which no JobManager told says so', async () => {
    s3.store(`ledger/runs/${runId}/record.json`, JSON.stringify(record));
    const { code, err } = await runCli(['ui', '--run', runId, '--ledger', 'ledger', '--flink', folder]);
    expect([code, err.includes('no JobManager told of its jobs')]).toEqual([2, true]);
  });
});
