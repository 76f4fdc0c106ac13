import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DOWNLOAD } from '../../lib/delivery/download-script.ts';

const BYTES = Buffer.from('the jar');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const EXPIRED = '<Error><Code>AccessDenied</Code>\n<Message>Request has expired</Message></Error>';
/** Of the script, beside the downloader. */
const TOOLS = ['sha256sum', 'rm', 'mv', 'chmod', 'head', 'tail', 'sed', 'tr'];

let server: Server;
let url: string;
let asked: number;
let folder: string;
let file: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    if (request.url?.startsWith('/expired') === true) response.writeHead(403).end(EXPIRED);
    else response.end(BYTES);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

beforeEach(() => {
  asked = 0;
  folder = mkdtempSync(join(tmpdir(), 'download-script-'));
  file = join(folder, 'job.jar');
  return () => {
    rmSync(folder, { recursive: true });
  };
});

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function download(path: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = { PATH: process.env['PATH'], JAR_URL: url + path, JAR_FILE: file, JAR_SHA256: SHA256, ...more };
  const child = spawn('/bin/sh', ['-c', DOWNLOAD], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

/** A PATH with those programs alone. */
function pathWith(...programs: readonly string[]): string {
  for (const name of programs) symlinkSync(`/usr/bin/${name}`, join(folder, name));
  return folder;
}

describe.each(['curl', 'wget'].filter((name) => name === 'curl' || existsSync(`/usr/bin/${name}`)))(
  'with %s',
  (downloader) => {
    const only = (): Record<string, string> => ({ PATH: pathWith(downloader, ...TOOLS) });

    it('puts the jar into its place, to read alone', async () => {
      expect(await download('/a.jar?X-Amz-Signature=s', only())).toEqual({ code: 0, said: '' });
      expect(readFileSync(file).equals(BYTES)).toBe(true);
      expect(statSync(file).mode & 0o777).toBe(0o444);
    });

    it('says that a URL has ended, without the URL', async () => {
      const { code, said } = await download('/expired?X-Amz-Signature=s', only());
      expect(code).toBe(1);
      expect(said).toContain('403');
      expect(said).not.toContain('Signature');
      if (downloader === 'curl') expect(said).toContain('Request has expired');
    });

    it('keeps nothing that has another sum', async () => {
      const wanted = '0'.repeat(64);
      const { code, said } = await download('/a.jar', { ...only(), JAR_SHA256: wanted });
      expect({ code, said }).toEqual({ code: 1, said: `what arrived has the SHA-256 ${SHA256}, not ${wanted}\n` });
      expect(() => statSync(file)).toThrow();
    });
  },
);

it('asks for nothing when the jar is there already, and again when it is another', async () => {
  await download('/a.jar');
  expect(await download('/expired')).toEqual({ code: 0, said: '' });
  expect(asked).toBe(1);
  rmSync(file);
  writeFileSync(file, 'cut');
  expect(await download('/a.jar')).toEqual({ code: 0, said: '' });
  expect(readFileSync(file).equals(BYTES)).toBe(true);
});

it('takes values as they are: nothing of them is read as a command', async () => {
  const name = "$(touch gone) '; rm -rf x.jar";
  file = join(folder, name);
  expect((await download('/a.jar?a=$(id)&b=`id`')).code).toBe(0);
  expect(readFileSync(file).equals(BYTES)).toBe(true);
});

it('names what an image lacks', async () => {
  const { code, said } = await download('/a.jar', { PATH: pathWith(...TOOLS) });
  expect(code).toBe(1);
  expect(said).toContain('neither curl nor wget');
});
