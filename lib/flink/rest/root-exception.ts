import type { RootException } from '../job-manager.ts';

export const MAX_STACK_TRACE = 16 * 1024;
const MAX_MESSAGE = 4 * 1024;
const CAUSED_BY = 'Caused by: ';
/** `\tat frame`, `\t... 14 more`, and the suppressed exceptions of a frame, which Java indents. */
const FRAME = /^\s+(at |\.\.\. \d+ )/;

/**
 * The root cause of a Java stack trace. The first line is often only Flink's own wrapping (`Recovery is suppressed by
 * NoRestartBackoffTimeStrategy`), so the deepest `Caused by` counts. Lines that Java indents belong to suppressed
 * exceptions and are no cause.
 */
export function rootException(
  stackTrace: string,
  details: { time?: number | null | undefined; taskManagerId?: string | null | undefined } = {},
): RootException {
  return {
    message: cutEnd(rootMessage(stackTrace), MAX_MESSAGE),
    stackTrace: cutMiddle(stackTrace, MAX_STACK_TRACE),
    ...(typeof details.time === 'number' && { time: details.time }),
    ...(typeof details.taskManagerId === 'string' && { taskManagerId: details.taskManagerId }),
  };
}

export function rootMessage(stackTrace: string): string {
  const lines = stackTrace.split(/\r?\n/);
  const start = Math.max(
    0,
    lines.findLastIndex((line) => line.startsWith(CAUSED_BY)),
  );
  const rest = lines.slice(start);
  const end = rest.findIndex((line, index) => index > 0 && (FRAME.test(line) || /^\s+Suppressed: /.test(line)));
  const text = rest.slice(0, end === -1 ? rest.length : end).join('\n');
  const message = (text.startsWith(CAUSED_BY) ? text.slice(CAUSED_BY.length) : text).trim();
  return hasWords(message) ? message : withPlace(message, rest[end]);
}

/** `java.lang.NullPointerException` alone says nothing; where it was thrown does. */
function hasWords(message: string): boolean {
  return /[\s:]/.test(message);
}

function withPlace(message: string, frame: string | undefined): string {
  return frame === undefined || !FRAME.test(frame) ? message : `${message} ${frame.trim()}`;
}

function cutEnd(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** The beginning names the failure, the end its deepest cause. */
export function cutMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = `\n… ${text.length - max} characters left out …\n`;
  const head = Math.floor(max / 4);
  return text.slice(0, head) + note + text.slice(text.length - (max - head));
}
