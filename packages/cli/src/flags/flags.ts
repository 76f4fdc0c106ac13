import { nearest } from '../../../../lib/core/nearest.ts';
import { UsageError } from './usage.ts';

/** One flag, with the spellings of Flink's own command line: `-p`, `-cm` and `--parallelism`. */
export interface Flag {
  /** Without its dash; Flink has some of several letters. */
  readonly short?: string;
  readonly long?: string;
  /** Default: the flag takes no value. `property`: `-Dkey=value` and `-D key=value`. */
  readonly takes?: 'value' | 'optional' | 'property';
  /** What the help calls the value. */
  readonly value?: string;
  readonly help: string;
  /** Flink has this flag and this product does not: why, and what to do instead. */
  readonly refused?: string;
}

export interface ParsedFlags {
  /** Values by the flag's long name, or its short one; an empty text for a flag without a value. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly properties: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

interface State {
  readonly flags: readonly Flag[];
  readonly rest: string[];
  readonly values: Map<string, string[]>;
  readonly properties: Record<string, string>;
}

/**
 * Reads a command line as Flink's own parser does (Apache Commons CLI's DefaultParser): `-p 3`, `-p3`, `-p=3`,
 * `--parallelism 3`, `--parallelism=3`, unambiguous prefixes of long names, long names with one dash, `-dn` for
 * `-d -n`, and `--` before arguments that begin with a dash.
 * @param stopAtArgument all that follows the first argument is an argument too: `run` gives it to the program.
 * @throws UsageError
 */
export function parseFlags(flags: readonly Flag[], argv: readonly string[], stopAtArgument: boolean): ParsedFlags {
  const state: State = { flags, rest: [...argv], values: new Map(), properties: Object.create(null) as never };
  const args: string[] = [];
  for (let token = state.rest.shift(); token !== undefined; token = state.rest.shift()) {
    if (token === '--') {
      args.push(...state.rest.splice(0));
    } else if (!isFlag(token)) {
      args.push(token, ...(stopAtArgument ? state.rest.splice(0) : []));
    } else if (token.startsWith('--')) {
      longFlag(state, token.slice(2), token);
    } else {
      shortFlag(state, token.slice(1), token);
    }
  }
  return { values: state.values, properties: { ...state.properties }, args };
}

function nameOf(flag: Flag): string {
  return flag.long ?? flag.short ?? '';
}

function isFlag(token: string): boolean {
  return token.length > 1 && token.startsWith('-') && !/^-\d+(\.\d+)?$/.test(token);
}

function longFlag(state: State, text: string, token: string): void {
  const { name, value } = splitAtEquals(text);
  const flag = byLongName(state.flags, name);
  if (flag === undefined) throw unknownFlag(state.flags, token, name);
  take(state, flag, value, token);
}

function shortFlag(state: State, text: string, token: string): void {
  const { name, value } = splitAtEquals(text);
  const flag = state.flags.find(({ short }) => short === name) ?? byLongName(state.flags, name);
  if (flag !== undefined && flag.takes !== 'property') return take(state, flag, value, token);
  const property = state.flags.find(
    ({ takes, short }) => takes === 'property' && short !== undefined && text.startsWith(short),
  );
  if (property !== undefined) return takeProperty(state, text.slice(1) || state.rest.shift(), token);
  return concatenated(state, text, token);
}

/** `-dn`, `-p3`, `-dp3`. */
function concatenated(state: State, text: string, token: string): void {
  for (let index = 0; index < text.length; index += 1) {
    const flag = state.flags.find(({ short }) => short === text[index]);
    if (flag === undefined) throw unknownFlag(state.flags, token, text);
    const remainder = text.slice(index + 1);
    if (flag.takes === undefined) {
      take(state, flag, undefined, token);
    } else {
      return take(state, flag, remainder === '' ? undefined : remainder, token);
    }
  }
}

function take(state: State, flag: Flag, attached: string | undefined, token: string): void {
  if (flag.refused !== undefined) throw new UsageError(`${token} is not supported: ${flag.refused}`);
  const name = nameOf(flag);
  const values = state.values.get(name) ?? [];
  state.values.set(name, [...values, valueFor(state, flag, attached, token)]);
}

function valueFor(state: State, flag: Flag, attached: string | undefined, token: string): string {
  if (flag.takes === undefined) {
    if (attached !== undefined) throw new UsageError(`${token}: this flag takes no value`);
    return '';
  }
  if (attached !== undefined) return attached;
  const [next] = state.rest;
  if (next !== undefined && !isFlag(next)) return state.rest.shift() ?? '';
  if (flag.takes === 'optional') return '';
  throw new UsageError(`${token} needs a value: ${token} <${flag.value ?? 'value'}>`);
}

/** The value may hold further equals signs; a key alone means true. */
function takeProperty(state: State, text: string | undefined, token: string): void {
  const { name, value } = splitAtEquals(text ?? '');
  const separate = token.length === 2;
  if (name === '' || (separate && value === undefined)) {
    throw new UsageError(`${token} needs key=value: -Dkubernetes.cluster-id=my-cluster`);
  }
  state.properties[name] = value ?? 'true';
}

function splitAtEquals(text: string): { name: string; value: string | undefined } {
  const at = text.indexOf('=');
  return at === -1 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

function byLongName(flags: readonly Flag[], name: string): Flag | undefined {
  const exact = flags.find(({ long }) => long === name);
  if (exact !== undefined || name === '') return exact;
  const candidates = flags.filter(({ long }) => long?.startsWith(name));
  return candidates.length === 1 ? candidates[0] : undefined;
}

function unknownFlag(flags: readonly Flag[], token: string, name: string): UsageError {
  const names = flags.flatMap(({ long, short }) => [long, short]).filter((known) => known !== undefined);
  const near = nearest(name, names);
  const shown =
    near === undefined ? '' : `; did you mean ${flags.some(({ long }) => long === near) ? '--' : '-'}${near}?`;
  return new UsageError(`unknown flag ${token}${shown}`);
}
