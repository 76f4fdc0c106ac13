import type { LoginFacts } from '../../../lib/view/server/door.ts';

/** Of an address that was printed, for the page of this machine; or of an issuer, for people who log in. */
const KEYS = {
  ...{ local: 'flink-dispatch-token', bearer: 'flink-dispatch-bearer' },
  ...{ grant: 'flink-dispatch-login', since: 'flink-dispatch-since' },
};
/** A token that is refused so soon would be refused again. */
const SOON = 10_000;

/** The token that lets the page write: from the address that was printed, and out of sight from then on. */
export function takeToken(): void {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  sessionStorage.setItem(KEYS.local, token);
  history.replaceState(null, '', location.pathname + location.search);
}

export function mayWrite(): boolean {
  return sessionStorage.getItem(KEYS.local) !== null || sessionStorage.getItem(KEYS.bearer) !== null;
}

/** Of a read. */
export function readHeaders(): Record<string, string> {
  const bearer = sessionStorage.getItem(KEYS.bearer);
  return bearer === null ? {} : { authorization: `Bearer ${bearer}` };
}

/** Of one write: the same again would be the same order. */
export function writeHeaders(): Record<string, string> {
  const local = sessionStorage.getItem(KEYS.local);
  return {
    ...readHeaders(),
    ...(local === null ? {} : { 'x-flink-dispatch-token': local }),
    'content-type': 'application/json',
    'idempotency-key': crypto.randomUUID(),
  };
}

interface Grant {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where the reader was. */
  readonly place: string;
}

/**
 * Has people log in where this installation asks for it: authorization code with PKCE, which leaves no secret in the page.
 * False: the page is about to leave for the issuer. @throws Error for a log in that did not work
 */
export async function logIn(): Promise<boolean> {
  const { login } = (await (await fetch('/api/login')).json()) as { readonly login: LoginFacts | null };
  if (login === null) return true;
  const query = new URLSearchParams(location.search);
  if (query.has('state') && (query.has('code') || query.has('error'))) await redeem(query);
  if (sessionStorage.getItem(KEYS.bearer) !== null) return true;
  await leaveFor(login);
  return false;
}

/** A token that is taken no longer is thrown away, and the page begins anew. */
export function logInAnew(): void {
  const since = Number(sessionStorage.getItem(KEYS.since));
  if (sessionStorage.getItem(KEYS.bearer) === null || Date.now() - since < SOON) return;
  sessionStorage.removeItem(KEYS.bearer);
  location.reload();
}

async function leaveFor({ authorizationEndpoint, clientId, scope }: LoginFacts): Promise<void> {
  const [state, nonce, verifier] = [random(), random(), random()];
  const grant: Grant = { state, nonce, verifier, place: location.pathname + location.search };
  sessionStorage.setItem(KEYS.grant, JSON.stringify(grant));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const address = new URL(authorizationEndpoint);
  const wanted = {
    ...{ response_type: 'code', client_id: clientId, scope, redirect_uri: redirect(), state, nonce },
    ...{ code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: 'S256' },
  };
  for (const [name, value] of Object.entries(wanted)) address.searchParams.set(name, value);
  location.assign(address);
}

async function redeem(query: URLSearchParams): Promise<void> {
  const stored = sessionStorage.getItem(KEYS.grant);
  sessionStorage.removeItem(KEYS.grant);
  const grant = stored === null ? undefined : (JSON.parse(stored) as Grant);
  history.replaceState(null, '', grant?.place ?? '/');
  if (grant === undefined || query.get('state') !== grant.state) throw new Error('This log in was not begun here.');
  const code = query.get('code');
  if (code === null) throw new Error(`The issuer says: ${query.get('error_description') ?? query.get('error') ?? ''}`);
  const body = JSON.stringify({ code, verifier: grant.verifier, redirect: redirect() });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/api/login', { method: 'POST', headers, body });
  const { token = '', message } = (await answer.json()) as { readonly token?: string; readonly message?: string };
  if (!answer.ok) throw new Error(message);
  if (nonceIn(token) !== grant.nonce) throw new Error('The token is not of this log in.');
  sessionStorage.setItem(KEYS.bearer, token);
  sessionStorage.setItem(KEYS.since, String(Date.now()));
}

function redirect(): string {
  return `${location.origin}/`;
}

function nonceIn(token: string): unknown {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { readonly nonce?: unknown }).nonce;
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
