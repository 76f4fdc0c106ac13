import { describe, expect, it } from 'vitest';
import { parseFlags, type Flag } from '../src/flags/flags.ts';
import { UsageError } from '../src/flags/usage.ts';

const FLAGS: readonly Flag[] = [
  { short: 'p', long: 'parallelism', takes: 'value', value: 'number', help: '' },
  { short: 'c', long: 'class', takes: 'value', help: '' },
  { short: 'C', long: 'classpath', takes: 'value', help: '' },
  { short: 'cm', long: 'claimMode', takes: 'value', help: '' },
  { short: 'd', long: 'detached', help: '' },
  { short: 'n', long: 'allowNonRestoredState', help: '' },
  { short: 'D', takes: 'property', help: '' },
  { short: 's', long: 'withSavepoint', takes: 'optional', help: '' },
  { short: 'py', long: 'python', help: '', refused: 'not yet' },
];

function parsed(...argv: string[]) {
  const { values, properties, args } = parseFlags(FLAGS, argv, true);
  return { ...Object.fromEntries(values), properties, args };
}

describe("Flink's spellings", () => {
  it.each([
    [['-p', '3', 'x.jar']],
    [['-p3', 'x.jar']],
    [['-p=3', 'x.jar']],
    [['--parallelism', '3', 'x.jar']],
    [['--parallelism=3', 'x.jar']],
    [['-parallelism', '3', 'x.jar']],
    [['--para', '3', 'x.jar']],
  ])('%j', (argv) => {
    expect(parsed(...argv)).toEqual({ parallelism: ['3'], properties: {}, args: ['x.jar'] });
  });

  it('flags of one letter together, the last with its value', () => {
    expect(parsed('-dnp3', 'x.jar')).toMatchObject({ detached: [''], allowNonRestoredState: [''], parallelism: ['3'] });
    expect(parsed('-dp', '3', 'x.jar')).toMatchObject({ detached: [''], parallelism: ['3'], args: ['x.jar'] });
  });

  it('a short flag of two letters goes before two of one', () => {
    expect(parsed('-cm', 'claim')).toMatchObject({ claimMode: ['claim'] });
  });

  it.each([
    ['-Dk=v', { k: 'v' }],
    ['-Dk=a=b', { k: 'a=b' }],
    ['-Dk=', { k: '' }],
    ['-Dk', { k: 'true' }],
    ['-Dk= spaced "quoted" ', { k: ' spaced "quoted" ' }],
    ['-D__proto__=x', JSON.parse('{"__proto__":"x"}') as Record<string, string>],
  ])('property %s', (token, properties) => {
    expect(parsed(token).properties).toEqual(properties);
  });

  it('properties apart from their flag, the last one wins', () => {
    expect(parsed('-D', 'k=1', '-D', 'k=2', '-Dj=3', 'x.jar')).toEqual({
      properties: { k: '2', j: '3' },
      args: ['x.jar'],
    });
  });

  it('a negative number is a value', () => {
    expect(parsed('-p', '-1')).toMatchObject({ parallelism: ['-1'] });
  });

  it('an optional value', () => {
    expect(parsed('-s', 'dir')).toMatchObject({ withSavepoint: ['dir'] });
    expect(parsed('-s', '-d')).toMatchObject({ withSavepoint: [''], detached: [''] });
  });

  it('a flag given often', () => {
    expect(parsed('-C', 'file:///a', '-C', 'file:///b')).toMatchObject({ classpath: ['file:///a', 'file:///b'] });
  });
});

describe("the program's arguments", () => {
  it('are untouched, whatever they look like', () => {
    const args = ['--input', '-Dx=y', '-p', '', "it's", '--', '--help', '日本語', '-1'];
    expect(parsed('-d', 'x.jar', ...args)).toEqual({ detached: [''], properties: {}, args: ['x.jar', ...args] });
  });

  it('begin after -- too', () => {
    expect(parsed('-d', '--', '-odd.jar', '-x').args).toEqual(['-odd.jar', '-x']);
  });

  it('other commands take flags after arguments', () => {
    const { values, args } = parseFlags(FLAGS, ['id', '-d', 'dir'], false);
    expect([[...values.keys()], args]).toEqual([['detached'], ['id', 'dir']]);
  });
});

describe('mistakes', () => {
  it.each([
    [['--paralelism', '3'], /unknown flag --paralelism; did you mean --parallelism\?/],
    [['-x'], /unknown flag -x/],
    [['--c', 'v'], /unknown flag --c/],
    [['-p'], /-p needs a value: -p <number>/],
    [['-p', '-d'], /-p needs a value/],
    [['--detached=true'], /takes no value/],
    [['-D', 'k'], /-D needs key=value/],
    [['-D'], /-D needs key=value/],
    [['-D=v'], /needs key=value/],
    [['-py', 'x.py'], /-py is not supported: not yet/],
  ])('%j', (argv, message) => {
    expect(() => parsed(...argv)).toThrow(UsageError);
    expect(() => parsed(...argv)).toThrow(message);
  });
});
