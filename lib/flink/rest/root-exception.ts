import type { RootException } from '../job-manager.ts';
import { rootMessage } from '../root-cause.ts';

const MAX_STACK_TRACE = 16 * 1024;
const MAX_MESSAGE = 4 * 1024;

/** The root cause of a stack trace, cut to what a record has room for. */
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

function cutEnd(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** The beginning names the failure, the end its deepest cause. */
function cutMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = `\n… ${text.length - max} characters left out …\n`;
  const head = Math.floor(max / 4);
  return text.slice(0, head) + note + text.slice(text.length - (max - head));
}
