import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { describeError, DispatchError } from '../../lib/core/errors.ts';
import type { Caller } from '../../lib/trigger/request.ts';
import { discover } from './discovery.ts';

interface TokenSettings {
  readonly issuers: readonly string[];
  readonly audience: string;
  /** Names of claims that the configuration asks for; of the others nothing is kept. */
  readonly claims: readonly string[];
}

/** Signed with a key pair: a secret that both sides know would let each reader write tokens. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Seconds by which clocks may differ. */
const CLOCK_TOLERANCE = 30;
const TIMEOUT = 5_000;

/**
 * Reads tokens: undefined for one that is not good, whatever is wrong with it. Keys are those that the issuer names in its
 * `/.well-known/openid-configuration`; no key and no address is taken from a token.
 * @throws DispatchError `StorageUnavailable` when the issuer does not answer
 */
export function tokenReader({
  issuers,
  audience,
  claims,
}: TokenSettings): (token: string) => Promise<Caller | undefined> {
  const keys = new Map<string, Promise<JWTVerifyGetKey>>();
  const keysOf = (issuer: string): Promise<JWTVerifyGetKey> => {
    const known = keys.get(issuer) ?? keySet(issuer);
    keys.set(issuer, known);
    // The next call asks again.
    known.catch(() => keys.delete(issuer));
    return known;
  };
  return async (token) => {
    const issuer = issuerIn(token);
    if (issuer === undefined || !issuers.includes(issuer)) return undefined;
    const keySource = await keysOf(issuer);
    try {
      const options = { issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE };
      const { payload } = await jwtVerify(token, keySource, { ...options, requiredClaims: ['sub', 'exp'] });
      return { kind: 'token', issuer, subject: payload.sub ?? '', claims: claimsIn(payload, claims) };
    } catch (error) {
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) return undefined;
      throw unavailable(issuer, error);
    }
  };
}

function issuerIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function keySet(issuer: string): Promise<JWTVerifyGetKey> {
  try {
    const { jwks_uri: address } = await discover(issuer);
    return createRemoteJWKSet(new URL(String(address)), { timeoutDuration: TIMEOUT });
  } catch (error) {
    throw unavailable(issuer, error);
  }
}

function unavailable(issuer: string, cause: unknown): DispatchError {
  const message = `the keys of ${issuer} cannot be had: ${describeError(cause)}`;
  return new DispatchError('StorageUnavailable', message, { cause });
}

/** A claim that is a text, or a list of texts. */
function claimsIn(payload: JWTPayload, names: readonly string[]): Record<string, readonly string[]> {
  const found = names.flatMap((name) => {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
    const values = (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string');
    return values.length === 0 ? [] : [[name, values] as const];
  });
  return Object.fromEntries(found);
}
