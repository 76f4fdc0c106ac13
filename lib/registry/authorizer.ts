import * as z from 'zod';
import type { Instant } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import { parseChallenge, type Challenge } from './challenge.ts';
import type { Credentials, CredentialsFor } from './credentials.ts';
import { fromAnswer, fromSilence } from './failure.ts';
import { readText, type Http, type HttpRequest } from './http.ts';
import { mayMakeTokens, type Endpoint } from './settings.ts';

/** `repository:library/flink:pull`, as token services name rights. */
export type Scopes = readonly string[];

export interface Authorizer {
  /** The value of `Authorization` as far as the registry has told what it wants. */
  header(endpoint: Endpoint, scopes: Scopes): Promise<string | undefined>;
  /**
   * After a 401: takes in what the registry wants.
   * @param sent whether there was a header, which then was refused
   * @returns whether there is anything to try again with
   */
  challenged(endpoint: Endpoint, scopes: Scopes, wanted: string | undefined, sent: boolean): Promise<boolean>;
}

export interface AuthorizerDeps {
  readonly http: Http;
  readonly credentials: CredentialsFor;
  readonly now: () => Instant;
}

interface Token {
  readonly value: string;
  readonly until: Instant;
}

/** Of answers that name no time, by the specification of Docker's tokens. */
const DEFAULT_SECONDS = 60;
/** A token is renewed that much before its end. */
const MARGIN = 10_000;

/** Tokens and passwords, kept between requests; one for many registries. */
export function createAuthorizer(deps: AuthorizerDeps): Authorizer {
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, Token>();
  const keyOf = ({ host }: Endpoint, scopes: Scopes): string => [host, ...scopes].join(' ');
  return {
    async header(endpoint, scopes) {
      const challenge = challenges.get(endpoint.host);
      if (challenge === undefined) return undefined;
      if (challenge.scheme === 'basic') {
        const credentials = await deps.credentials(endpoint, false);
        return credentials?.kind === 'basic' ? basic(credentials) : undefined;
      }
      const key = keyOf(endpoint, scopes);
      const kept = tokens.get(key);
      if (kept !== undefined && deps.now() < kept.until) return `Bearer ${kept.value}`;
      const token = await makeToken(challenge, endpoint, scopes, deps);
      tokens.set(key, token);
      return `Bearer ${token.value}`;
    },
    async challenged(endpoint, scopes, wanted, sent) {
      tokens.delete(keyOf(endpoint, scopes));
      const challenge = parseChallenge(wanted);
      if (challenge === undefined) return false;
      challenges.set(endpoint.host, challenge);
      const credentials = await deps.credentials(endpoint, sent);
      return challenge.scheme === 'bearer' || credentials?.kind === 'basic';
    },
  };
}

async function makeToken(
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  endpoint: Endpoint,
  scopes: Scopes,
  { http, credentials, now }: AuthorizerDeps,
): Promise<Token> {
  const realm = realmOf(challenge.realm, endpoint);
  const what = `a token for ${endpoint.host} from ${realm.host}`;
  const request = tokenRequest(realm, challenge.service, scopes, await credentials(endpoint, false));
  const response = await http(request).catch((error: unknown) => {
    throw fromSilence(what, error);
  });
  if (response.status !== 200) throw await fromAnswer(what, response);
  const text = await readText(response, 1024 * 1024).catch((error: unknown) => {
    throw fromSilence(what, error);
  });
  return parseToken(text, what, now());
}

const answer = z.looseObject({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().positive().optional(),
});

function parseToken(text: string, what: string, now: Instant): Token {
  const parsed = answer.safeParse(jsonOf(text));
  const value = parsed.data?.token ?? parsed.data?.access_token;
  if (value === undefined || /[^\x21-\x7e]/.test(value))
    throw new DispatchError('RegistryRefused', `${what}: the answer holds no token`);
  const seconds = parsed.data?.expires_in ?? DEFAULT_SECONDS;
  return { value, until: now + Math.max(0, seconds * 1000 - MARGIN) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws DispatchError `InvalidConfiguration` for a place that is not the registry's own and not allowed */
function realmOf(realm: string, endpoint: Endpoint): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url !== undefined && mayMakeTokens(endpoint, url)) return url;
  const message = `${endpoint.host} says that its tokens are made by ${url?.host ?? 'nobody'}, which is not among its tokenHosts`;
  throw new DispatchError('InvalidConfiguration', message, { field: `registries["${endpoint.host}"].tokenHosts` });
}

function tokenRequest(
  realm: URL,
  service: string | undefined,
  scopes: Scopes,
  credentials: Credentials | undefined,
): HttpRequest {
  if (credentials?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'flink-dispatch',
      ...(service === undefined ? {} : { service }),
      scope: scopes.join(' '),
      refresh_token: credentials.token,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: realm, headers, body: Buffer.from(form.toString()) };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return { method: 'GET', url, headers: credentials === undefined ? {} : { authorization: basic(credentials) } };
}

function basic({ username, password }: Extract<Credentials, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
