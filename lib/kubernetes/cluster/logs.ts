import { apiPath } from '../api/api.ts';
import type { ObjectClient } from '../api/client.ts';
import type { ClusterRef, LogTail } from './port.ts';
import { objectPath } from '../api/kinds.ts';
import { statusError, succeeded } from '../api/status-error.ts';

/** Bytes of a line of Flink's log, on the short side: too many lines are cut, too few would be missed. */
const LINE = 80;
const MIN_LINES = 50;
/** Stack traces have long lines; beyond this the answer is cut at its end, and fewer lines are asked for. */
const SLACK = 4;

export interface TailOptions {
  readonly container: string;
  readonly bytes: number;
  readonly previous: boolean;
}

/** The API counts a limit in bytes from the start and a tail in lines from the end: here it is bytes from the end. */
export async function readTail(
  client: ObjectClient,
  ref: ClusterRef,
  pod: string,
  options: TailOptions,
): Promise<LogTail> {
  const limit = options.bytes * SLACK;
  let lines = Math.max(MIN_LINES, Math.ceil(options.bytes / LINE));
  let text = Buffer.from(await readLines(client, ref, pod, options, { lines, limit }), 'utf8');
  while (text.byteLength >= limit && lines > 1) {
    lines = Math.max(1, Math.floor(lines / (2 * SLACK)));
    text = Buffer.from(await readLines(client, ref, pod, options, { lines, limit }), 'utf8');
  }
  return { pod, container: options.container, text: lastBytes(text, options.bytes) };
}

async function readLines(
  client: ObjectClient,
  { namespace }: ClusterRef,
  pod: string,
  options: TailOptions,
  { lines, limit }: { readonly lines: number; readonly limit: number },
): Promise<string> {
  const response = await client.request({
    method: 'GET',
    path: `${objectPath('Pod', namespace, pod)}${apiPath('log')}`,
    query: {
      container: options.container,
      tailLines: String(lines),
      limitBytes: String(limit),
      ...(options.previous ? { previous: 'true' } : {}),
    },
    accept: 'text/plain, */*',
  });
  // 404: no such pod; 400: the container has not started, or has no incarnation before this one.
  if (response.status === 404 || response.status === 400) return '';
  if (!succeeded(response)) throw statusError(response, { verb: 'get', resource: `pods/${pod}/log`, namespace });
  return typeof response.body === 'string' ? response.body : JSON.stringify(response.body);
}

/** Begins at a line, unless the last line alone is longer. */
function lastBytes(text: Buffer, bytes: number): string {
  if (text.byteLength <= bytes) return text.toString('utf8');
  const tail = text.subarray(text.byteLength - bytes);
  const line = tail.indexOf(0x0a);
  return (line === -1 || line === tail.byteLength - 1 ? tail : tail.subarray(line + 1)).toString('utf8');
}
