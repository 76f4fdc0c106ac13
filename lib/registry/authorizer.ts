import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { isRecord, jsonOf } from '../core/json.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credentials, CredentialsFor } from './credential-types.ts';
import { fromAnswer, fromSilence } from './failure.ts';
import { discard, readBody } from '../http/body.ts';
import type { Http, HttpRequest, HttpResponse } from '../http/http.ts';
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
  /**
   * After a 403 to a request with credentials: a password that is over is answered so, without a challenge (Amazon ECR).
   * @returns whether there are others to try again with
   */
  forbidden(endpoint: Endpoint): Promise<boolean>;
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

/** By the specification of Docker's tokens: without a time it is this, and none should be less. */
const LEAST_SECONDS = 60;
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
      const offered = parseChallenges(wanted);
      if (offered.length === 0) return false;
      const credentials = await deps.credentials(endpoint, sent);
      const challenge = choose(offered, endpoint, credentials);
      challenges.set(endpoint.host, challenge);
      return challenge.scheme === 'bearer' || credentials?.kind === 'basic';
    },
    async forbidden(endpoint) {
      if (challenges.get(endpoint.host)?.scheme !== 'basic') return false;
      return (await deps.credentials(endpoint, true))?.kind === 'basic';
    },
  };
}

/** Tokens before passwords, as Docker has it, unless their place is not allowed and a password would do. */
function choose(offered: readonly Challenge[], endpoint: Endpoint, credentials: Credentials | undefined): Challenge {
  const bearer = offered.find(({ scheme }) => scheme === 'bearer');
  const basicOne = offered.find(({ scheme }) => scheme === 'basic');
  if (bearer?.scheme !== 'bearer') return basicOne ?? { scheme: 'basic' };
  const works = URL.canParse(bearer.realm) && mayMakeTokens(endpoint, new URL(bearer.realm));
  return !works && basicOne !== undefined && credentials?.kind === 'basic' ? basicOne : bearer;
}

async function makeToken(
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  endpoint: Endpoint,
  scopes: Scopes,
  { http, credentials, now }: AuthorizerDeps,
): Promise<Token> {
  const realm = realmOf(challenge.realm, endpoint);
  const what = `a token for ${endpoint.host} from ${realm.host}`;
  const ask = async (renew: boolean): Promise<HttpResponse> => {
    const known = await credentials(endpoint, renew);
    const response = await http(tokenRequest(realm, challenge.service, scopes, known)).catch((error: unknown) => {
      throw fromSilence(what, error);
    });
    // what was kept may be over: once more with what there is now
    if (renew || known === undefined || (response.status !== 401 && response.status !== 403)) return response;
    await discard(response);
    return ask(true);
  };
  const response = await ask(false);
  if (response.status !== 200) throw await fromAnswer(what, response);
  const text = await readBody(response.body, 1024 * 1024).catch((error: unknown) => {
    throw fromSilence(what, error);
  });
  return parseToken(text, what, now());
}

/** Fields that are empty or null are none: Harbor sends `access_token` so beside `token`. */
function parseToken(text: string, what: string, now: Instant): Token {
  const answer = jsonOf(text);
  const fields = isRecord(answer) ? answer : {};
  const value = [fields['token'], fields['access_token']].find((one) => typeof one === 'string' && one !== '');
  if (typeof value !== 'string' || /[^\x21-\x7e]/.test(value))
    throw new DispatchError('RegistryRefused', `${what}: the answer holds no token`);
  const lifetime = Number(fields['expires_in'] ?? NaN);
  const seconds = Number.isFinite(lifetime) ? Math.max(lifetime, LEAST_SECONDS) : LEAST_SECONDS;
  return { value, until: now + seconds * 1000 - MARGIN };
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
      ...defined({ service }),
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
