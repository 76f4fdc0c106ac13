import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callers } from '../../functions/http/callers.ts';
import { readConfig } from '../../functions/config.ts';
import { tokenReader } from '../../functions/http/tokens.ts';
import type { Caller } from '../../lib/trigger/request.ts';
import { json, scriptedServer, type ScriptedServer } from '../kubernetes/api-server.ts';

let issuer: ScriptedServer;
let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
let others: { privateKey: CryptoKey; publicKey: CryptoKey };
let published: readonly JWK[];
let says = {};

beforeAll(async () => {
  [keys, others] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  published = [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }];
  issuer = await scriptedServer(({ url }, response) => {
    if (url.pathname === '/keys') json(response, 200, { keys: published });
    else json(response, 200, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...says });
  });
});
afterAll(() => issuer.close());

interface Told {
  readonly iss?: string;
  readonly aud?: string;
  readonly exp?: string | number;
  readonly key?: CryptoKey | Uint8Array;
  readonly alg?: string;
}

function token({ iss = issuer.url, aud = 'flink', exp = '5m', key = keys.privateKey, alg = 'RS256' }: Told = {}) {
  const claims = { groups: ['payments', 'people'], email: 'a@b.c', repository: 'acme/jobs', n: 1 };
  const made = new SignJWT(claims).setProtectedHeader({ alg, kid: 'one' }).setIssuer(iss).setAudience(aud);
  return made.setSubject('someone').setIssuedAt().setExpirationTime(exp).sign(key);
}

const read = async (told: Told = {}): Promise<Caller | undefined> => {
  const settings = { issuers: [issuer.url], audience: 'flink', claims: ['groups', 'repository', 'n', '__proto__'] };
  return tokenReader(settings)(await token(told));
};

describe('a token', () => {
  it('says who calls, with the claims that are asked for and no other', async () => {
    expect(await read()).toEqual({
      kind: 'token',
      issuer: issuer.url,
      subject: 'someone',
      claims: { groups: ['payments', 'people'], repository: ['acme/jobs'] },
    });
  });

  it.each<readonly [string, () => Told]>([
    ['of another issuer', () => ({ iss: 'https://other.invalid' })],
    ['for another audience', () => ({ aud: 'others' })],
    ['that is over', () => ({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['that another key signed', () => ({ key: others.privateKey })],
    ['that a secret signed', () => ({ key: new TextEncoder().encode(JSON.stringify(published)), alg: 'HS256' })],
  ])('%s is nobody’s', async (_, told) => {
    expect(await read(told())).toBeUndefined();
  });

  it('without a signature, and what is none, is nobody’s', async () => {
    const reader = tokenReader({ issuers: [issuer.url], audience: 'flink', claims: [] });
    const [, payload = ''] = (await token()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const text of [`${none}.${payload}.`, 'a.b.c', 'x', '']) expect(await reader(text)).toBeUndefined();
  });

  it('of an issuer that names itself otherwise is put off', async () => {
    says = { issuer: 'https://other.invalid' };
    await expect(read()).rejects.toMatchObject({ reason: 'StorageUnavailable' });
    says = {};
    expect(await read()).toBeDefined();
  });
});

describe('callers', () => {
  const environment = {
    ...{ LEDGER_BUCKET: 'l', RUN_QUEUE_URL: 'https://q.invalid', DEAD_LETTER_QUEUE_URL: 'https://q.invalid' },
    ...{ EVENT_BUS_NAME: 'bus', HTTP_API: 'oidc' },
  };

  it('with tokens need an issuer and an audience', () => {
    const config = readConfig(environment);
    expect(() => callers(config, { tenants: {} })).toThrow(/OIDC_ISSUERS and OIDC_AUDIENCE/);
  });

  it('with tokens are not known by what IAM would say', async () => {
    const config = readConfig({ ...environment, OIDC_ISSUERS: issuer.url, OIDC_AUDIENCE: 'flink' });
    const ask = callers(config, { tenants: {} });
    const iam = { userArn: 'arn:aws:iam::111122223333:user/a' };
    expect(await ask({ iam, authorization: undefined })).toBeUndefined();
    expect(await ask({ iam, authorization: `Bearer ${await token()}` })).toMatchObject({ subject: 'someone' });
  });
});
