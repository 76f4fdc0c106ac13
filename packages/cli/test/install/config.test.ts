import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeS3 } from '../../../../test/fakes/s3.ts';
import { CONFIG_KEY } from '../../../../lib/install/stored-config.ts';
import { runCli } from '../run-cli.ts';
import { serveS3 } from '../runs/fake-ledger.ts';

const stub = mockClient(S3Client);
const folder = mkdtempSync(join(tmpdir(), 'config-'));
const file = join(folder, 'dispatch.yml');
const PATH = `ledger/${CONFIG_KEY}`;
const configOf = (namespace: string): string =>
  `targets: { default: { namespace: ${namespace}, access: { kind: in-cluster } } }\n`;

let s3: FakeS3;
beforeEach(() => {
  s3 = serveS3(stub);
  writeFileSync(file, configOf('one'));
});
afterAll(() => {
  stub.restore();
  rmSync(folder, { recursive: true });
});
const run = (...argv: string[]) => runCli(['config', ...argv], { env: { FLINK_DISPATCH_LEDGER: 'ledger' } });

describe('config check', () => {
  it('says what a good file has', async () => {
    expect(await run('check', file)).toMatchObject({ code: 0, out: `${file} is good: the targets default\n` });
    expect(JSON.parse((await run('check', file, '--json')).out)).toMatchObject({ targets: ['default'] });
  });

  it('names the field of a bad one, and a file that is not there', async () => {
    writeFileSync(file, 'targets: { default: { namespace: one, acces: {} } }');
    const { code, err } = await run('check', file);
    expect(code).toBe(1);
    expect(err).toContain('targets.default.acces is not a known field: did you mean access?');
    expect((await run('check', join(folder, 'none.yml'))).err).toMatch(/cannot read .*none.yml \(ENOENT\)/);
  });
});

describe('config put', () => {
  it('stores the text as it is, and shows what differs from the one before', async () => {
    expect(await run('put', file)).toMatchObject({ code: 0, out: 's3://ledger/config/dispatch.yml\n' });
    expect(s3.text(PATH)).toBe(configOf('one'));
    writeFileSync(file, configOf('two'));
    const { err } = await run('put', file);
    expect(err).toContain('- targets.default.namespace: "one"\n+ targets.default.namespace: "two"\n');
    expect(s3.text(PATH)).toBe(configOf('two'));
    expect((await run('put', file)).err).toContain('is the same already');
  });

  it('stores none that is bad', async () => {
    await run('put', file);
    writeFileSync(file, 'targets: {}');
    expect((await run('put', file)).code).toBe(1);
    expect(s3.text(PATH)).toBe(configOf('one'));
  });

  it.each([
    ['the first', undefined],
    ['a later one', configOf('before')],
  ])('is told when somebody else was faster with %s', async (_, before) => {
    if (before !== undefined) s3.store(PATH, before);
    s3.before(/put config/, () => Promise.resolve(s3.store(PATH, configOf('theirs'))));
    const { code, err } = await run('put', file);
    expect(code).toBe(2);
    expect(err).toContain('somebody else has stored another configuration meanwhile');
    expect(s3.text(PATH)).toBe(configOf('theirs'));
  });

  it('takes the place of one that was bad', async () => {
    s3.store(PATH, 'no object');
    expect((await run('put', file)).code).toBe(0);
    expect(s3.text(PATH)).toBe(configOf('one'));
  });
});

describe('config get and diff', () => {
  it('print what is stored, and in which fields a file differs', async () => {
    expect((await run('get')).err).toContain('there is no configuration at s3://ledger/config/dispatch.yml');
    s3.store(PATH, configOf('stored'));
    expect((await run('get')).out).toBe(configOf('stored'));
    expect(await run('diff', file)).toMatchObject({
      code: 1,
      out: '- targets.default.namespace: "stored"\n+ targets.default.namespace: "one"\n',
    });
    s3.store(PATH, `# the same\n${configOf('one')}`);
    expect((await run('diff', file)).code).toBe(0);
  });
});
