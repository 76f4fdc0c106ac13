import { beforeEach, describe, expect, it } from 'vitest';
import { createConfigSource, RECHECK_MS, type ConfigSource } from '../../lib/install/config-source.ts';
import { createS3ConfigStore } from '../../lib/install/s3-config-store.ts';
import { CONFIG_KEY, LAST_GOOD_KEY } from '../../lib/install/stored-config.ts';
import { FakeS3 } from '../fakes/s3.ts';

const config = (namespace: string): string =>
  `targets: { default: { namespace: ${namespace}, access: { kind: in-cluster } } }`;
const BAD = 'targets: {}';

let s3: FakeS3;
let lines: string[];
let counted: string[];
beforeEach(() => {
  s3 = new FakeS3();
  lines = [];
  counted = [];
});

const store = (text: string, key = CONFIG_KEY): void => s3.store(`ledger/${key}`, text);
/** The function that starts now. */
function source(keepsLastGood = false): ConfigSource {
  const note =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`);
  return createConfigSource({
    store: createS3ConfigStore(s3.bucket),
    clock: { now: () => s3.time.now, sleep: () => Promise.resolve() },
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    metrics: { add: (name) => void counted.push(name) },
    keepsLastGood,
  });
}
const later = (): void => void (s3.time.now += RECHECK_MS);
const namespaceOf = async (read: ConfigSource): Promise<string | undefined> =>
  (await read()).targets['default']?.namespace;

describe('a function', () => {
  it('reads the configuration once, asks for changes by the ETag, and keeps the very object while there is none', async () => {
    store(config('one'));
    const read = source();
    const [first] = await Promise.all([read(), read()]);
    later();
    expect(await read()).toBe(first);
    expect(s3.asked).toEqual([`get ${CONFIG_KEY}`, `get ${CONFIG_KEY}`]);
    expect(lines).toEqual(['info: configuration read']);
  });

  it('takes up another one', async () => {
    store(config('one'));
    const read = source();
    await read();
    store(config('two'));
    expect(await namespaceOf(read)).toBe('one');
    later();
    expect(await namespaceOf(read)).toBe('two');
  });

  it.each([
    ['is bad', () => store(BAD)],
    ['is no YAML', () => store('{')],
    ['is gone', () => void s3.objects.clear()],
  ])(
    'uses the good one before it when the stored one %s, says so at each look, and takes up the next',
    async (_, spoil) => {
      store(config('one'));
      const read = source();
      const first = await read();
      spoil();
      later();
      expect(await read()).toBe(first);
      later();
      expect(await read()).toBe(first);
      expect(lines.slice(1)).toEqual(
        Array(2).fill('error: the stored configuration is not used, the good one before it is'),
      );
      expect(counted).toEqual(['BadConfiguration', 'BadConfiguration']);
      store(config('two'));
      later();
      expect(await namespaceOf(read)).toBe('two');
    },
  );

  it('uses what it has when S3 gives no answer', async () => {
    store(config('one'));
    const read = source();
    await read();
    s3.failing.push({ what: /get/, error: () => Object.assign(new Error('x'), { name: 'TimeoutError' }) });
    later();
    expect(await namespaceOf(read)).toBe('one');
    expect(lines.at(-1)).toMatch(/^warn: the configuration cannot be looked at/);
    await expect(source()()).rejects.toMatchObject({ reason: 'StorageUnavailable' });
  });
});

describe('a function that starts while the stored one is bad', () => {
  it('uses the last good one, which a function wrote down', async () => {
    store(config('one'));
    await source(true)();
    store(BAD);
    expect(await namespaceOf(source())).toBe('one');
    expect(lines.at(-1)).toBe('error: the stored configuration is not used, the last good one is');
  });

  it('does not write down a bad one', async () => {
    store(config('one'));
    const sweep = source(true);
    await sweep();
    store(BAD);
    later();
    await sweep();
    expect(s3.text(`ledger/${LAST_GOOD_KEY}`)).toBe(config('one'));
  });

  it('fails with what is wrong and where when there never was a good one, and begins when one is there', async () => {
    const read = source();
    await expect(read()).rejects.toMatchObject({
      reason: 'InvalidConfiguration',
      message: 'there is no configuration at s3://ledger/config/dispatch.yml: store one with flink-dispatch config put',
    });
    store(BAD);
    await expect(read()).rejects.toThrow(/s3:\/\/ledger\/config\/dispatch.yml is not good: targets must have a target/);
    store(config('one'));
    expect(await namespaceOf(read)).toBe('one');
  });
});
