import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Strikes } from './strikes.ts';

/** Says that it is there, and writes as soon as it is told where to. */
const PROGRAM = `process.stdin.once('data', (url) => require('node:http')
  .request(String(url).trim(), { method: 'PUT' }, (answer) => answer.resume().on('end', () => process.exit(7)))
  .end('{"state":"running","run":{"stop":{}}}')); process.stdout.write('.');`;

async function setUp(part = 1): Promise<{ strikes: Strikes; write: (event: object) => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'strikes-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const strikes = new Strikes(folder, part);
  strikes.aimAt({ set: 'savepoint', owns: (body) => body === 'own' });
  let came = 0;
  const server = createServer((request, response) => {
    came += 1;
    request.resume().on('end', () => response.end());
  }).listen(0);
  onTestFinished(() => void server.close());
  const write = async (event: object): Promise<string> => {
    came = 0;
    const child = spawn(process.execPath, ['-e', PROGRAM], { env: { ...process.env, ...strikes.environment } });
    await once(child.stdout, 'data');
    strikes.arm(child.pid ?? 0, event);
    child.stdin.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/deployments/0123456789/record.json`);
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    strikes.disarm(child.pid ?? 0, event);
    return `${signal ?? code} ${came}`;
  };
  return { strikes, write };
}

const eventOf = (...bodies: readonly string[]) => ({ Records: bodies.map((body) => ({ body })) });

describe('strikes', () => {
  it('kill a process before its request leaves, then after it was answered, and no more', async () => {
    const { strikes, write } = await setUp();
    const event = eventOf('own');
    expect([await write(event), strikes.hit(event)]).toEqual(['SIGKILL 0', true]);
    expect(await write(eventOf('own'))).toBe('SIGKILL 1');
    expect(await write(eventOf('own', 'own'))).toBe('7 1');
    const kind = 'PUT /deployments/*/record.json running run stop';
    expect(strikes.struck).toEqual([`before ${kind}`, `after ${kind}`]);
    expect(strikes.coverage).toEqual([{ set: 'savepoint', kinds: 1, before: 1, after: 1, spared: [] }]);
  });

  it('spare what is no part of them, and say so', async () => {
    const { strikes, write } = await setUp(1e-9);
    expect(await write(eventOf('own'))).toBe('7 1');
    expect(strikes.coverage).toMatchObject([{ kinds: 1, before: 0, after: 0, spared: { length: 2 } }]);
  });

  it('spare what is no upgrade’s alone, and all when they are over', async () => {
    const { strikes, write } = await setUp();
    for (const event of [eventOf('own', 'another'), {}]) expect(await write(event)).toBe('7 1');
    strikes.stop();
    expect(await write(eventOf('own'))).toBe('7 1');
    expect(strikes.struck).toEqual([]);
  });

  it('are none where none are wanted', async () => {
    const { strikes, write } = await setUp(0);
    expect(strikes.environment).toEqual({});
    expect(await write(eventOf('own'))).toBe('7 1');
  });
});
