import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { served } from '../served.ts';
import { FETCH_COMMAND, SUM_OF_CLASS_PATH } from '../../../lib/delivery/classes/fetch-script.ts';

let bytes: Buffer;
let sum: string;

let server: Awaited<ReturnType<typeof served>>;
let folder: string;
let file: string;

beforeAll(async () => {
  const made = mkdtempSync(join(tmpdir(), 'fetch-script-'));
  writeFileSync(join(made, 'flink.jsa'), 'of Flink');
  writeFileSync(join(made, 'scripts.jsa'), '');
  bytes = execFileSync('tar', ['-cf', '-', 'flink.jsa', 'scripts.jsa'], { cwd: made });
  rmSync(made, { recursive: true });
  sum = createHash('sha256').update(bytes).digest('hex');
  server = await served(({ url: path }, response) => {
    if (path === '/cut') response.writeHead(200, { 'content-length': bytes.length }).end(bytes.subarray(0, 9));
    else if (path === '/poisoned') response.end('the classes of another');
    else if (path === '/expired') response.writeHead(403).end('<Message>Request has expired</Message>');
    else response.end(bytes);
  });
});
afterAll(() => server.close());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fetch-script-'));
  file = join(folder, 'classes', 'flink.jsa');
  mkdirSync(join(folder, 'classes'));
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'release'), 'JAVA_VERSION="17.0.15"');
  writeFileSync(join(folder, 'lib', 'flink-dist.jar'), 'one');
  return () => {
    rmSync(folder, { recursive: true });
  };
});

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function run(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const of = {
    JAR_URL: server.url,
    JAR_FILE: join(folder, 'classes', 'classes.tar'),
    JAR_SHA256: sum,
    CLASS_PATH_SUM: '',
  };
  const env = { PATH: process.env['PATH'], JAVA_HOME: folder, FLINK_HOME: folder, ...of, ...more };
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = execFile(program, args, { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, said: (stdout + stderr).trim() });
    });
  });
}

const sumOf = async (): Promise<string> =>
  (await run(['/bin/sh', '-c', `${SUM_OF_CLASS_PATH}\nsum_of_class_path`])).said;

describe('what an init container does about an archive', () => {
  it('leaves one that is whole', async () => {
    expect(await run(FETCH_COMMAND)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toBe('of Flink');
    expect(readdirSync(join(folder, 'classes'))).toEqual(['flink.jsa']);
  });

  it.each([
    ['that is cut', '/cut'],
    ['of other bytes', '/poisoned'],
    ['whose URL has ended', '/expired'],
  ])('leaves none %s, and ends well', async (_, path) => {
    expect(await run(FETCH_COMMAND, { JAR_URL: server.url + path })).toMatchObject({ code: 0 });
    expect(readdirSync(join(folder, 'classes'))).toEqual([]);
  });

  it('leaves none that is whole, and no archive', async () => {
    const JAR_SHA256 = createHash('sha256').update('the classes of another').digest('hex');
    expect(await run(FETCH_COMMAND, { JAR_URL: `${server.url}/poisoned`, JAR_SHA256 })).toMatchObject({ code: 0 });
    expect(readdirSync(join(folder, 'classes'))).toEqual([]);
  });

  it('ends well without a server, and without any program', async () => {
    const nobody = { JAR_URL: 'http://127.0.0.1:9/', PATH: folder };
    expect(await run(FETCH_COMMAND, nobody)).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  });

  it('leaves none for other jars or another JVM', async () => {
    const recorded = { CLASS_PATH_SUM: await sumOf() };
    expect(await run(FETCH_COMMAND, recorded)).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(true);
    rmSync(file);
    // Of the same size, as a JVM compares it.
    writeFileSync(join(folder, 'lib', 'flink-dist.jar'), 'two');
    expect(await run(FETCH_COMMAND, recorded)).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'lib', 'flink-dist.jar'), 'one');
    writeFileSync(join(folder, 'release'), 'JAVA_VERSION="21.0.1"');
    expect(await run(FETCH_COMMAND, recorded)).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  });
});
