import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { json, scriptedServer } from '../kubernetes/api-server.ts';

export interface Told {
  readonly aud?: string;
  readonly exp?: string | number;
  /** Signed with another key than those that the issuer names. */
  readonly isForged?: boolean;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Issuer {
  readonly url: string;
  /** What it was asked to make tokens of. */
  readonly grants: readonly URLSearchParams[];
  /** One of `ann`. */
  token(told?: Told): Promise<string>;
  close(): Promise<void>;
}

/** An issuer of OpenID Connect on loopback, which knows the client `audience` and takes the code `good`. */
export async function startIssuer(audience: string): Promise<Issuer> {
  const [keys, others] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const published = [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }];
  const grants: URLSearchParams[] = [];
  const server = await scriptedServer(({ url, body }, response) => {
    const { url: at } = server;
    if (url.pathname === '/keys') return json(response, 200, { keys: published });
    if (url.pathname !== '/token') {
      const endpoints = { authorization_endpoint: `${at}/authorize`, token_endpoint: `${at}/token` };
      return json(response, 200, { issuer: at, jwks_uri: `${at}/keys`, ...endpoints });
    }
    const grant = new URLSearchParams(String(body));
    grants.push(grant);
    if (grant.get('code') !== 'good') return json(response, 400, { error: 'invalid_grant' });
    return json(response, 200, { id_token: 'header.payload.signature', access_token: 'other' });
  });
  return {
    url: server.url,
    grants,
    token({ aud = audience, exp = '5m', isForged = false, claims = {} } = {}) {
      const key: CryptoKey = (isForged ? others : keys).privateKey;
      const made = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).setIssuer(server.url);
      return made.setAudience(aud).setSubject('ann').setIssuedAt().setExpirationTime(exp).sign(key);
    },
    close: () => server.close(),
  };
}
