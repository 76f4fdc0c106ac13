import type { Clock, Duration } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError, isDispatchError } from '../core/errors.ts';
import type { Authorizer, Scopes } from './authorizer.ts';
import type { Payload } from '../core/payload.ts';
import { discard, readBody } from '../http/body.ts';
import type { Http, HttpResponse } from '../http/http.ts';
import { fromAnswer, fromSilence } from './failure.ts';
import { judgeAddress, type Endpoint, type RegistryHosts } from './settings.ts';

export interface CallDeps {
  readonly hosts: RegistryHosts;
  readonly http: Http;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** Over: nothing is tried again. */
  readonly signal?: AbortSignal;
}

export interface Call {
  readonly endpoint: Endpoint;
  readonly scopes: Scopes;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below the registry's origin, or an address that it gave. */
  readonly to: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Payload;
  /** For messages: `reading the manifest of …`. */
  readonly what: string;
}

const TRIES = 3;
const FIRST_WAIT: Duration = 200;
/** A registry that wants more patience than this gets it from the run, which waits without a function. */
const LONGEST_WAIT: Duration = 5_000;
const REDIRECTS = 5;

/** Tries again what may go better: no answer, 429 and 5xx, an upload that broke. */
export async function steady<T>({ clock, signal }: CallDeps, call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const wait = isDispatchError(error) ? waitAfter(error, tries) : undefined;
      if (wait === undefined || signal?.aborted === true) throw error;
      await clock.sleep(wait);
    }
  }
}

function waitAfter(error: DispatchError, tries: number): Duration | undefined {
  // What is uploaded comes from another storage, whose streams break too.
  const passing = error.reason === 'RegistryUnavailable' || error.reason === 'StorageUnavailable';
  if (!passing || tries >= TRIES) return undefined;
  const wait = Math.max((error.retryAfter ?? 0) * 1000, FIRST_WAIT * 4 ** (tries - 1));
  return wait > LONGEST_WAIT ? undefined : wait;
}

/**
 * One request, with what the registry wants to see and through its redirects, which never take credentials elsewhere.
 * @throws DispatchError for no answer, for 401 with nothing better to send, and for an address that may not be asked
 */
export async function ask(call: Call, deps: CallDeps): Promise<Answer> {
  const first = await follow(call, deps);
  if (first.status !== 401) return renewed(first, call, deps);
  const wanted = first.headers['www-authenticate'];
  const again = await deps.authorizer.challenged(call.endpoint, call.scopes, wanted, first.authorized);
  if (!again) throw await fromAnswer(call.what, first);
  await discard(first);
  return renewed(await follow(call, deps), call, deps);
}

/** Once more with another password, where the one that was sent may be over. */
async function renewed(answer: Answer, call: Call, deps: CallDeps): Promise<Answer> {
  const over = answer.status === 403 && answer.authorized && answer.headers['www-authenticate'] === undefined;
  if (!over || !(await deps.authorizer.forbidden(call.endpoint))) return answer;
  await discard(answer);
  return follow(call, deps);
}

/** An answer, and the address that gave it: relative addresses in it are relative to that. */
export interface Answer extends HttpResponse {
  readonly from: URL;
  readonly authorized: boolean;
}

async function follow(call: Call, deps: CallDeps): Promise<Answer> {
  let url = addressOf(call.endpoint, call.to);
  for (let redirects = 0; ; redirects += 1) {
    const own = requireAllowed(call, url) === 'own';
    const authorization = own ? await deps.authorizer.header(call.endpoint, call.scopes) : undefined;
    const response = await send(call, url, authorization, deps);
    const location = mayFollow(response.status, call) ? response.headers['location'] : undefined;
    if (location === undefined) return { ...response, from: url, authorized: authorization !== undefined };
    await discard(response);
    if (redirects >= REDIRECTS) throw new DispatchError('RegistryRefused', `${call.what}: too many redirects`);
    url = locationFrom(location, url, call);
  }
}

async function send(
  { method, headers, body, what }: Call,
  url: URL,
  authorization: string | undefined,
  { http, signal }: CallDeps,
): Promise<HttpResponse> {
  try {
    return await http({
      method,
      url,
      headers: { ...headers, ...defined({ authorization }) },
      ...defined({ body, signal }),
    });
  } catch (error) {
    throw fromSilence(what, error);
  }
}

/** The answer's text. @throws DispatchError `RegistryUnavailable` when it ends early, `RegistryRefused` beyond `limit` bytes */
export async function textOf(response: HttpResponse, what: string, limit: number): Promise<string> {
  if (Number(response.headers['content-length'] ?? 0) > limit)
    throw new DispatchError('RegistryRefused', `${what}: the answer is larger than ${limit} bytes`);
  return readBody(response.body, limit).catch((error: unknown) => {
    throw fromSilence(what, error);
  });
}

/** The address that an answer gives: absolute, or relative to what was asked. */
export function locationFrom(location: string, asked: URL, { what, endpoint }: Call): URL {
  if (!URL.canParse(location, asked.href))
    throw new DispatchError('RegistryRefused', `${what}: the registry gave no address`);
  const url = new URL(location, asked);
  // Behind a proxy that ends TLS a registry may not know that it is asked by https.
  const own = new URL(endpoint.origin);
  if (url.hostname === own.hostname && url.port === own.port && own.protocol === 'https:') url.protocol = 'https:';
  return url;
}

export function addressOf({ origin }: Endpoint, to: string | URL): URL {
  return to instanceof URL ? to : new URL(`${origin}${to}`);
}

function requireAllowed({ endpoint, what }: Call, url: URL): 'own' | 'other' {
  const verdict = judgeAddress(endpoint, url);
  if (verdict !== 'no') return verdict;
  const message = `${what}: the registry points to ${url.protocol}//${url.host}, where a registry's content may not lie`;
  throw new DispatchError('RegistryRefused', message);
}

/** RFC 9110: 307 and 308 keep method and body; after the others anything but a read would become a read. */
function mayFollow(status: number, { method }: Call): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}
