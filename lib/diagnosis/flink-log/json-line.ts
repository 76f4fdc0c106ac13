import { levelOf, type LogEntry } from './entry.ts';
import { throwableText } from './json-throwable.ts';

/** Spares lines that are none the rest. */
const MAY_BE_JSON = /^\s{0,20}\{"/;

/** Of a logger or a time, in characters. */
const LONGEST_NAME = 200;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Names of fields, by layout: log4j's JsonTemplateLayout with its templates (ECS, Logstash, GCP, GELF, JsonLayout), Elastic's
 * own encoder, logstash-logback-encoder, Logback's JsonEncoder and Amazon's managed Flink. A dot also reads a nested object.
 */
const LEVEL = ['log.level', 'level', 'severity', 'levelname', '@l', 'messageType'];
const LOGGER = ['log.logger', 'logger_name', 'loggerName', '_logger', 'logger'];
const MESSAGE = ['message', 'short_message', 'formattedMessage', 'msg', '@m'];
const TIME = ['@timestamp', 'timestamp', 'time', 'ts'];
const THROWABLE = [
  'error',
  'stack_trace',
  'exception',
  '_exception',
  'thrown',
  'throwable',
  'full_message',
  'stackTrace',
  'throwableInformation',
];

/** The entry of a line that is a JSON object; `undefined` for any other line, and for an object without a message. */
export function readJsonLine(line: string): LogEntry | undefined {
  const fields = parse(line);
  if (fields === undefined) return undefined;
  const said = first(fields, MESSAGE);
  const throwable = throwableOf(fields);
  if (typeof said !== 'string' && throwable === '') return undefined;
  const [message = '', ...more] = (typeof said === 'string' ? said : '').split(/\r?\n/);
  const below = [...more, ...(throwable === '' ? [] : [throwable])].join('\n');
  const level = levelOf(first(fields, LEVEL));
  const logger = textOf(first(fields, LOGGER));
  const header = [textOf(first(fields, TIME)), level, logger].filter((it) => it !== undefined).join(' ');
  const text = `${header} - ${message}${below === '' ? '' : `\n${below}`}`;
  return { level, logger, message, below, text, logged: true };
}

function parse(line: string): Fields | undefined {
  if (!MAY_BE_JSON.test(line)) return undefined;
  const text = line.trim();
  if (!text.startsWith('{"') || !text.endsWith('}')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) {
    const value = valueOf(fields, name);
    if (typeof value === 'string' || typeof value === 'number') return value;
  }
  return undefined;
}

function valueOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const dot = name.indexOf('.');
  if (dot < 0) return undefined;
  const outer = name.slice(0, dot);
  const inner = name.slice(dot + 1);
  const object = Object.hasOwn(fields, outer) ? fields[outer] : undefined;
  return isFields(object) && Object.hasOwn(object, inner) ? object[inner] : undefined;
}

/** ECS writes `error.type`, `error.message` and `error.stack_trace` beside each other, or in an object. */
function throwableOf(fields: Fields): string {
  const flat = {
    class: fields['error.type'],
    message: fields['error.message'],
    stack_trace: fields['error.stack_trace'],
  };
  for (const value of [flat, ...THROWABLE.map((name) => fields[name])]) {
    if (value === undefined) continue;
    const text = throwableText(value);
    if (text !== '') return text;
  }
  return '';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_NAME ? value.replaceAll('\n', ' ') : undefined;
}
