import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FlinkConfiguration } from '../../../lib/flink/config/configuration.ts';
import { loadConfiguration, readConfiguration, writeConfiguration } from '../../../lib/flink/config/files.ts';
import { JavaHashMap } from '../../../lib/flink/config/java-map.ts';
import { splitEscaped } from '../../../lib/flink/config/split.ts';
import { javaDouble, toYamlString } from '../../../lib/flink/config/values.ts';
import { option, withDefault } from '../../../lib/flink/options/option.ts';
import { flatten, shippedConf } from './recordings.ts';

const yaml = (text: string, version = '2.3.0') => readConfiguration({ 'config.yaml': text }, version);

describe('a conf folder', () => {
  it('is flat, whether nested or dotted', () => {
    expect(yaml('a:\n  b.c: 1\n  d:\n    e: x\nf.g: true\n')).toEqual({ 'a.b.c': '1', 'a.d.e': 'x', 'f.g': 'true' });
  });

  it('gives lists as YAML text and keeps the look of numbers', () => {
    expect(yaml('a: [x, "b,c", {k: v}]\nb: 1.0\nc: 0x1F\nd: 12345678901\n')).toEqual({
      a: "[x, 'b,c', {k: v}]",
      b: '1.0',
      c: '31',
      d: '12345678901',
    });
  });

  it('may be empty', () => {
    expect(yaml('# nothing\n')).toEqual({});
  });

  it.each([
    ['a:\n', /'a' has no value/],
    ['- a\n', /must be a mapping/],
    ['a: b: secret\n', /^config.yaml: line 1 is not valid YAML \([A-Z_]+\)$/],
    ['a: 1\na: 2\n', /line 2 is not valid YAML/],
  ])('%j is refused, without showing what it says', (text, message) => {
    expect(() => yaml(text)).toThrow(message);
  });

  it('must have a config.yaml', () => {
    expect(() => readConfiguration({ 'flink-conf.yaml': 'a: b' }, '2.0.0')).toThrow(/no config.yaml/);
    expect(() => readConfiguration({}, '1.20.0')).toThrow(/no config.yaml/);
  });

  it('before 2.0 reads flink-conf.yaml first, line by line', () => {
    const text = '# c\na: b # d\nurl: http://x: y\nbad\nno:value\nempty: \n e.f :  g h \n';
    const files = { 'flink-conf.yaml': text, 'config.yaml': 'a: other' };
    expect(readConfiguration(files, '1.19.1')).toEqual({ a: 'b', url: 'http://x: y', 'e.f': 'g h' });
    expect(readConfiguration(files, '2.0.0')).toEqual({ a: 'other' });
  });

  it.each(['1.20.0', '2.3.0'])('of %s, when none is given, is what the distribution ships', (version) => {
    const clientSide = ['jobmanager.bind-host', 'taskmanager.bind-host', 'taskmanager.host', 'rest.bind-address'];
    const shipped = Object.entries(readConfiguration(shippedConf(version), version));
    expect(readConfiguration(undefined, version)).toEqual(
      Object.fromEntries(shipped.filter(([key]) => !clientSide.includes(key))),
    );
  });
});

describe('writing', () => {
  it('gives back what was read', () => {
    const key = fc.stringMatching(/^[a-z]{1,5}$/);
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }),
    );
    const model = fc.dictionary(
      fc.tuple(key, key).map(([a, b]) => `${a}.${b}`),
      value,
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(model, (entries) => {
        const text = writeConfiguration(new FlinkConfiguration(true, Object.entries(entries)));
        const back = Object.fromEntries(flatten(parse(text, { intAsBigInt: true })));
        expect(back).toEqual(entries);
      }),
    );
  });

  it('keeps types', () => {
    const configuration = new FlinkConfiguration(true, [
      ['a.b', '8'],
      ['a.c', 8n],
      ['a.d', 1],
      ['a.e', true],
      ['a.f', ['x', '', 'true']],
      ['a.g', []],
    ]);
    expect(writeConfiguration(configuration).split('\n').sort()).toEqual(
      [
        '',
        'a:',
        "  b: '8'",
        '  c: 8',
        '  d: 1.0',
        '  e: true',
        '  f:',
        '  - x',
        "  - ''",
        "  - 'true'",
        '  g: []',
      ].sort(),
    );
  });

  it('refuses a key below another, save in flink-conf.yaml', () => {
    const entries = [
      ['kubernetes.container.image', 'a'],
      ['kubernetes.container.image.ref', 'b'],
    ] as const;
    expect(() => writeConfiguration(new FlinkConfiguration(true, entries))).toThrow(
      /'kubernetes.container.image' and keys below it cannot both be set.*write 'kubernetes.container.image.ref'/,
    );
    expect(writeConfiguration(new FlinkConfiguration(false, entries)).split('\n').sort()).toEqual([
      '',
      'kubernetes.container.image.ref: b',
      'kubernetes.container.image: a',
    ]);
  });

  it('writes lists for flink-conf.yaml in its own syntax', () => {
    const configuration = new FlinkConfiguration(false, [['a', ['x', 'y;z', "it's", '"']]]);
    expect(writeConfiguration(configuration)).toBe(`a: x;'y;z';'it''s';'"'\n`);
    expect(configuration.getOptional(option.list('a'))).toEqual(['x', 'y;z', "it's", '"']);
    const read = loadConfiguration({ 'flink-conf.yaml': `a: x;'y;z';'it''s';'"'` }, '1.20.0');
    expect(read.getOptional(option.list('a'))).toEqual(['x', 'y;z', "it's", '"']);
  });
});

describe('options', () => {
  const of = (entries: Record<string, string>, standardYaml = true) =>
    new FlinkConfiguration(standardYaml, Object.entries(entries));

  it('are read by their own key, then fallback keys, then deprecated ones', () => {
    const port = option.string('a', { deprecated: ['c'], fallback: ['b'] });
    expect(of({ a: '1', b: '2', c: '3' }).getOptional(port)).toBe('1');
    expect(of({ b: '2', c: '3' }).getOptional(port)).toBe('2');
    expect(of({ c: '3' }).keyOf(port)).toBe('c');
  });

  it('are removed by the first key that is there', () => {
    const address = option.string('a', { fallback: ['b'], deprecated: ['c'] });
    const configuration = of({ b: '2', c: '3' });
    configuration.remove(address);
    expect(configuration.entries()).toEqual([['c', '3']]);
  });

  it.each<[string, Record<string, string>]>([
    ['a:b,c:d', { a: 'b', c: 'd' }],
    [' a:b , c:d,', { a: 'b', c: 'd' }],
    // a blank after the colon makes it YAML
    [' a : b , c:d,', { a: 'b , c:d,' }],
    ['{a: b, c: 1}', { a: 'b', c: '1' }],
    ['a: 1', { a: '1' }],
    ["'''a:b'':c'", { 'a:b': 'c' }],
    ['', {}],
  ])('of map type: %j', (text, expected) => {
    expect(Object.fromEntries(of({ m: text }).getOptional(option.map('m'))?.entries() ?? [])).toEqual(expected);
  });

  it.each(['a', 'a:b:c', 'a:b,a:c', "'a"])('of map type refuse %j, naming key and value', (text) => {
    expect(() => of({ m: text }).getOptional(option.map('m'))).toThrow(`m '${text}' is not valid`);
  });

  it('of map type are keys below theirs, too', () => {
    const labels = of({ 'm.a': '1', 'm.b.c': '2' }).getOptional(option.map('m'));
    expect(Object.fromEntries(labels?.entries() ?? [])).toEqual({ a: '1', 'b.c': '2' });
  });

  it('hide a secret value', () => {
    expect(() => of({ 'my.password': 'hunter2' }).getOptional(option.int('my.password'))).toThrow(
      /^my.password \*{6} is not valid$/,
    );
  });

  it('know YAML in config.yaml only', () => {
    expect(of({ l: '[a, b]' }).getOptional(option.list('l'))).toEqual(['a', 'b']);
    expect(of({ l: '[a, b]' }, false).getOptional(option.list('l'))).toEqual(['[a, b]']);
  });

  it.each(['1', '-1.5', '1e3', '.5', '2.', ' 3d '])('of number type take %j', (text) => {
    expect(of({ d: text }).get(withDefault(option.double('d'), 0))).toBe(parseFloat(text));
  });

  it.each(['', 'x', '1,5', '0x1'])('of number type refuse %j', (text) => {
    expect(() => of({ d: text }).getOptional(option.double('d'))).toThrow(/a number is expected/);
  });
});

describe('as in Java', () => {
  it.each<[number, string]>([
    [1, '1.0'],
    [0.5, '0.5'],
    [0.1 * 3, '0.30000000000000004'],
    [0.0001, '1.0E-4'],
    [0.00055, '5.5E-4'],
    [1e7, '1.0E7'],
    [12345678.9, '1.23456789E7'],
    [-2, '-2.0'],
    [0, '0.0'],
  ])('%d is %s', (value, text) => {
    expect(javaDouble(value)).toBe(text);
  });

  it('a HashMap goes by buckets, within one by age, and grows', () => {
    const order = (keys: readonly string[]) => {
      const map = new JavaHashMap<number>();
      keys.forEach((key, i) => map.set(key, i));
      return map.keys().join(' ');
    };
    expect(order(['c', 'b', 'a'])).toBe('a b c');
    // these two have one hash code
    expect(order(['BB', 'Aa'])).toBe('BB Aa');
    expect(order(['Aa', 'BB'])).toBe('Aa BB');
    // 16 buckets put 'q' (113) before 'b' (98), 32 do not
    expect(order(['b', 'q'])).toBe('q b');
    expect(order([...'bqacdefghijklm'])).toBe('a b c d e f g h i j k l m q');
  });

  it('text is split with quotes', () => {
    expect(splitEscaped(`a; 'b;c' ;"d""e";;f;`, ';')).toEqual(['a', 'b;c', 'd"e', '', 'f']);
    expect(() => splitEscaped(`'a'b`, ';')).toThrow(/follows a closed quote/);
  });

  it('values become one line of YAML', () => {
    expect(['a: b', 'true', 8n, 1, ['x', ['y']]].map(toYamlString)).toEqual([
      "'a: b'",
      "'true'",
      '8',
      '1.0',
      '[x, [y]]',
    ]);
  });
});
