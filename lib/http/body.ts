import { Payload } from '../core/payload.ts';
import type { HttpResponse } from './http.ts';

/** The text of a body, in UTF-8. @throws Error for more than `limit` bytes */
export async function readBody(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) throw new Error(`the answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads and forgets, so that the connection can be used again. What cannot be read to its end is left. */
export async function discard({ body }: HttpResponse): Promise<void> {
  await readBody(body, 64 * 1024).catch(() => undefined);
}

/** JSON where the content type says so. Text that claims to be JSON and is not, such as one cut short, stays text. */
export function parseBody(contentType: string | undefined, text: string): unknown {
  if (!contentType?.includes('json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** JSON, unless it is bytes already. */
export function encodeBody(body: unknown): Uint8Array | Payload | undefined {
  if (body === undefined || body instanceof Uint8Array || body instanceof Payload) return body;
  return Buffer.from(JSON.stringify(body), 'utf8');
}
