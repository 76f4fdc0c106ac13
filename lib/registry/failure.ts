import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { redactText } from '../core/redaction/redact.ts';
import { cutUtf8 } from '../core/wire-text.ts';
import { readBody } from '../http/body.ts';
import type { HttpResponse } from '../http/http.ts';
import { noAnswer } from '../http/no-answer.ts';

const MAX_ANSWER = 64 * 1024;

/** What a registry's answer other than the wanted one means; it reads the answer. */
export async function fromAnswer(what: string, response: HttpResponse): Promise<DispatchError> {
  const { status } = response;
  const said = await errorText(response);
  const message = `${what}: the registry answered ${status}${said === '' ? '' : `, ${said}`}`;
  if (status === 429 || status === 408 || status >= 500) {
    const retryAfter = retryAfterOf(response);
    return new DispatchError('RegistryUnavailable', message, defined({ retryAfter }));
  }
  return new DispatchError('RegistryRefused', message);
}

/** What it means that there was no answer, or only a part of one. */
export function fromSilence(what: string, error: unknown): DispatchError {
  return noAnswer({ reason: 'RegistryUnavailable', from: 'the registry', what }, error);
}

/** Seconds; a date is left to the caller's own patience. */
function retryAfterOf({ headers }: HttpResponse): number | undefined {
  const seconds = Number(headers['retry-after'] ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** The codes and messages of a registry's error document. Never the address asked: it can hold a signature. */
async function errorText(response: HttpResponse): Promise<string> {
  try {
    const document: unknown = JSON.parse(await readBody(response.body, MAX_ANSWER));
    const errors: unknown = isRecord(document) ? document['errors'] : undefined;
    const texts = (Array.isArray(errors) ? errors : [])
      .filter(isRecord)
      .map(({ code, message }) => [code, message].filter((part) => typeof part === 'string').join(': '));
    return cutUtf8(redactText(texts.join('; ')), 500, '…');
  } catch {
    return '';
  }
}
