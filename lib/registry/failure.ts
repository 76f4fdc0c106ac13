import { readBody } from '../core/body.ts';
import { defined } from '../core/defined.ts';
import { describeError, DispatchError, isDispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { redactText } from '../core/redaction/redact.ts';
import { cutUtf8 } from '../core/wire-text.ts';
import { discard, SourceFailed, type HttpResponse } from './http.ts';

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
  if (isDispatchError(error)) return error;
  if (error instanceof SourceFailed && isDispatchError(error.cause)) return error.cause;
  const cause = error instanceof SourceFailed ? error.cause : error;
  const message = `${what}: no answer from the registry: ${redactText(describeError(cause))}`;
  return new DispatchError('RegistryUnavailable', message, { cause });
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
    await discard(response).catch(() => undefined);
    return '';
  }
}
