type Fields = Readonly<Record<string, unknown>>;

const STACK = ['stack_trace', 'stackTrace', 'stacktrace', 'extendedStackTrace'];
const CLASS = ['class', 'type', 'name', 'className', 'exception_class'];
const MESSAGE = ['message', 'localizedMessage', 'exception_message'];
const FRAMES = ['stepArray', ...STACK];
/** Causes of causes that are written out; Java prints a circle once. */
const DEEPEST = 50;

/** A throwable of a JSON layout as `Throwable.printStackTrace` would print it; empty for what is none. */
export function throwableText(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.every((line) => typeof line === 'string') ? value.join('\n').trim() : '';
  if (!isFields(value)) return '';
  return printed(value) ?? written(value).join('\n');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The layout printed it. */
function printed(fields: Fields): string | undefined {
  for (const name of STACK) {
    const value = fields[name];
    const text = typeof value === 'string' || Array.isArray(value) ? throwableText(value) : '';
    if (text !== '') return text;
  }
  return undefined;
}

/** The layout has class, message, frames and cause as fields. */
function written(throwable: Fields): readonly string[] {
  const lines: string[] = [];
  let next: unknown = throwable;
  for (let depth = 0; depth < DEEPEST && isFields(next); depth += 1) {
    const head = headOf(next);
    if (head === undefined) break;
    lines.push(`${depth === 0 ? '' : 'Caused by: '}${head}`, ...framesOf(next));
    next = next['cause'];
  }
  return lines;
}

function headOf(fields: Fields): string | undefined {
  const name = textOf(fields, CLASS);
  const message = textOf(fields, MESSAGE);
  if (name === undefined) return undefined;
  const circular = fields['cyclic'] === true || fields['circular'] === true;
  const text = message === undefined ? name : `${name}: ${message}`;
  return circular ? `[CIRCULAR REFERENCE: ${text}]` : text;
}

function framesOf(fields: Fields): readonly string[] {
  const frames = FRAMES.map((name) => fields[name]).find((value) => Array.isArray(value));
  return Array.isArray(frames) ? frames.filter(isFields).map(frameOf) : [];
}

function frameOf(frame: Fields): string {
  const method = textOf(frame, ['methodName', 'method']) ?? '<unknown>';
  const file = textOf(frame, ['fileName', 'file']) ?? 'Unknown Source';
  const line = frame['lineNumber'] ?? frame['line'];
  return `\tat ${textOf(frame, CLASS) ?? '<unknown>'}.${method}(${file}${typeof line === 'number' ? `:${line}` : ''})`;
}

function textOf(fields: Fields, names: readonly string[]): string | undefined {
  return names.map((name) => fields[name]).find((value) => typeof value === 'string' && value !== '') as
    string | undefined;
}
