import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tokenReader } from '../../functions/http/tokens.ts';
import { oidcLogin } from '../../functions/page/login.ts';
import { tokenDoor } from '../../lib/view/server/door.ts';
import { json, scriptedServer, type ScriptedServer } from '../kubernetes/api-server.ts';
import { appOn } from '../view/app-on.ts';
import { shownLedger, type Shown } from '../view/ledger-of.ts';
import { CHROMIUM, openBrowser } from './chromium.ts';
import { builtPage } from './stage.ts';
import { Visit } from './visit.ts';

const CLIENT = 'the-page';

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the page behind a URL', () => {
  let browser: Browser;
  let visit: Visit;
  let shown: Shown;
  let issuer: ScriptedServer;
  let server: Server;
  let origin: string;
  let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
  let published: readonly JWK[];
  /** What the issuer does wrong. */
  let wrong: 'state' | 'nonce' | 'refusal' | undefined;
  /** What was asked for when a code was made. */
  const asked = new Map<string, URLSearchParams>();

  beforeAll(async () => {
    keys = await generateKeyPair('RS256');
    published = [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }];
    issuer = await scriptedServer(({ url, body }, response) => {
      const { url: at } = issuer;
      if (url.pathname === '/keys') return json(response, 200, { keys: published });
      if (url.pathname === '/authorize') return void response.writeHead(302, { location: answered(url) }).end();
      if (url.pathname === '/token')
        return void redeem(new URLSearchParams(String(body))).then((it) => json(response, ...it));
      const endpoints = { authorization_endpoint: `${at}/authorize`, token_endpoint: `${at}/token` };
      return json(response, 200, { issuer: at, jwks_uri: `${at}/keys`, ...endpoints });
    });
    shown = await shownLedger();
    const read = tokenReader({ issuers: [issuer.url], audience: CLIENT, claims: [] });
    const door = tokenDoor(
      async (token) => ((await read(token)) === undefined ? undefined : { name: 'ann', isAllowed: true }),
      oidcLogin({ issuer: issuer.url, clientId: CLIENT }),
    );
    server = createAdaptorServer({ fetch: appOn(shown.s3, {}, door, await builtPage()).fetch }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await issuer?.close();
  });
  beforeEach(async () => {
    wrong = undefined;
    const context = await browser.createBrowserContext();
    visit = await Visit.begin(context);
  });

  /** Everybody is let in at once. */
  function answered(url: URL): string {
    const back = new URL(url.searchParams.get('redirect_uri') ?? '');
    const state = wrong === 'state' ? 'another' : (url.searchParams.get('state') ?? '');
    if (wrong === 'refusal') {
      for (const [name, value] of Object.entries({ state, error: 'access_denied', error_description: '<b>No</b>' }))
        back.searchParams.set(name, value);
      return back.href;
    }
    const code = `code-${asked.size}`;
    asked.set(code, url.searchParams);
    back.searchParams.set('state', state);
    back.searchParams.set('code', code);
    return back.href;
  }

  async function redeem(grant: URLSearchParams): Promise<readonly [number, object]> {
    const wanted = asked.get(grant.get('code') ?? '');
    asked.delete(grant.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(grant.get('code_verifier') ?? '')
      .digest('base64url');
    const isGood =
      wanted?.get('code_challenge') === challenge && wanted.get('redirect_uri') === grant.get('redirect_uri');
    if (!isGood) return [400, { error: 'invalid_grant' }];
    const nonce = wrong === 'nonce' ? 'another' : wanted.get('nonce');
    const made = new SignJWT({ nonce }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).setIssuer(issuer.url);
    const token = made.setAudience(CLIENT).setSubject('ann').setIssuedAt().setExpirationTime('5m');
    return [200, { id_token: await token.sign(keys.privateKey) }];
  }

  it('has people log in, and brings them where they wanted to be', async () => {
    await visit.page.goto(`${origin}/runs/${shown.failed}?log=2/decision.json`);
    await visit.until('Cause');
    expect(visit.page.url()).toBe(`${origin}/runs/${shown.failed}?log=2/decision.json`);
    await visit.page.waitForFunction(() => document.querySelector('pre.log')?.textContent?.includes('"rule"'));
    expect(await visit.texts('.order > button')).toEqual([]);
    expect(visit.complaints).toEqual([]);
    expect((await fetch(`${origin}/api/runs`)).status).toBe(401);
  });

  it.each([
    ['state', 'This log in was not begun here.'],
    ['nonce', 'The token is not of this log in.'],
    ['refusal', 'The issuer says: <b>No</b>'],
  ] as const)('says what is wrong with a log in of another %s, and shows nothing', async (what, said) => {
    wrong = what;
    await visit.page.goto(`${origin}/runs`);
    await visit.until(said);
    expect(await visit.text('h1')).toBe('Not logged in');
    expect(await visit.page.$$('a.row-link')).toEqual([]);
    const { violations } = await visit.faults();
    expect(violations).toEqual([]);
  });
});
