import type { Context, LambdaFunctionURLEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readPageConfig } from '../../functions/page/config.ts';
import { runIdFor } from '../../lib/core/ids.ts';
import { without } from '../../lib/run/machine.ts';
import { recordKey, type EndedRun } from '../../lib/run/record.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { CONTEXT, objectText, putObject, resetAws, restoreAws, RUNS, sentTo } from './aws.ts';
import { startIssuer, type Issuer } from './issuer.ts';

const MESSAGES = 'https://sqs.eu-central-1.amazonaws.com/111122223333/messages';
const CLIENT = 'the-page';
const run = sampleRecord();
/** One that goes on. */
const live = without({ ...run, runId: runIdFor('live'), state: 'running' } as unknown as EndedRun, 'outcome');

let issuer: Issuer;
beforeAll(async () => void (issuer = await startIssuer(CLIENT)));
afterAll(() => issuer.close());
afterAll(restoreAws);

const IN_GROUP = { claims: { groups: ['flink', 'people'] } };

interface Call {
  readonly by?: string | null;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The function with that environment; calls are as Lambda passes them on. */
function open(more: Readonly<Record<string, string>>): (route: string, call?: Call) => Promise<Answer> {
  let handler: (event: LambdaFunctionURLEvent, context: Context) => Promise<unknown>;
  beforeAll(async () => {
    const environment = {
      ...{ LEDGER_BUCKET: 'ledger', RUN_QUEUE_URL: RUNS, MESSAGE_QUEUE_URL: MESSAGES, SCHEDULE_GROUP: 'group' },
      ...{ PAGE_ISSUER: issuer.url, PAGE_CLIENT: CLIENT, AWS_REGION: 'eu-central-1', ...more },
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.resetModules();
    ({ handler } = await import('../../functions/on-page.ts'));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });
  beforeEach(() => {
    resetAws();
    for (const one of [run, live]) putObject(`ledger/${recordKey(one.runId)}`, JSON.stringify(one));
  });
  return async (route, { by = '', body, headers = {} } = {}) => {
    const [method = '', rawPath = ''] = route.split(' ');
    const bearer = by === '' ? await issuer.token(IN_GROUP) : by;
    const authorization = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
    const event = {
      version: '2.0',
      ...{ rawPath, rawQueryString: '', headers: { host: 'page.lambda-url.invalid', ...authorization, ...headers } },
      requestContext: { http: { method, path: rawPath }, domainName: 'page.lambda-url.invalid' },
      isBase64Encoded: false,
      ...(body && { body: JSON.stringify(body) }),
    } as unknown as LambdaFunctionURLEvent;
    return (await handler(event, CONTEXT)) as Answer;
  };
}

const SHOWN = [
  `/api/runs/${run.runId}`,
  `/api/runs/${run.runId}/report.html`,
  '/api/runs',
  '/api/streams',
  '/api/about',
];
const KEY = { 'idempotency-key': 'press-of-a-button' };

describe('the page behind a URL', () => {
  const call = open({ PAGE: 'read', PAGE_CLAIM: 'groups=flink' });

  it.each(SHOWN)('says nothing of %s without a token', async (path) => {
    const answer = await call(`GET ${path}`, { by: null });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.body).not.toContain(run.name);
  });

  it.each<readonly [string, () => Promise<string>]>([
    ['for another client', () => issuer.token({ aud: 'others' })],
    ['that is over', () => issuer.token({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['that another key signed', () => issuer.token({ isForged: true })],
    ['that is none', () => Promise.resolve('x.y.z')],
  ])('is shut for a token %s', async (_, made) => {
    expect((await call(`GET ${SHOWN[0] ?? ''}`, { by: await made() })).statusCode).toBe(401);
  });

  it('is shut for people without the claim, who are told so', async () => {
    const answer = await call(`GET ${SHOWN[0] ?? ''}`, { by: await issuer.token({ claims: { groups: ['others'] } }) });
    expect([answer.statusCode, answer.body]).toEqual([403, expect.stringContaining(`ann of ${issuer.url}`)]);
  });

  it('shows a run to whoever has a good token', async () => {
    const answer = await call(`GET /api/runs/${run.runId}`);
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ row: { runId: run.runId } });
  });

  it('gives the page itself to all, with nothing of runs in it, by TLS alone', async () => {
    const answer = await call(`GET /runs/${run.runId}`, { by: null });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(answer.headers['strict-transport-security']).toContain('max-age=');
    expect(answer.headers['content-security-policy']).toContain("connect-src 'self'");
  });

  it.each(['cancel', 'rerun'])('refuses to %s a run', async (order) => {
    const path = `POST /api/runs/${live.runId}/${order}`;
    expect((await call(path, { headers: KEY })).statusCode).toBe(403);
    expect((await call(path, { headers: KEY, by: null })).statusCode).toBe(401);
    expect(objectText(`ledger/${recordKey(live.runId)}`)).not.toContain('cancelRequested');
    expect(sentTo(MESSAGES)).toEqual([]);
  });

  it('tells where people log in, and redeems a code for them', async () => {
    const facts = await call('GET /api/login', { by: null });
    expect(JSON.parse(facts.body)).toEqual({
      login: { authorizationEndpoint: `${issuer.url}/authorize`, clientId: CLIENT, scope: 'openid' },
    });
    const grant = { code: 'good', verifier: 'v'.repeat(43), redirect: 'https://page.lambda-url.invalid/' };
    const answer = await call('POST /api/login', { by: null, body: grant });
    expect([answer.statusCode, answer.body]).toEqual([200, '{"token":"header.payload.signature"}']);
    expect(Object.fromEntries(issuer.grants.at(-1) ?? [])).toEqual({
      ...{ grant_type: 'authorization_code', code: 'good', client_id: CLIENT },
      ...{ redirect_uri: grant.redirect, code_verifier: grant.verifier },
    });
    expect((await call('POST /api/login', { by: null, body: { ...grant, code: 'bad' } })).statusCode).toBe(401);
    expect((await call('POST /api/login', { by: null, body: { code: 'good' } })).statusCode).toBe(400);
  });
});

describe('the page behind a URL that may act', () => {
  const call = open({ PAGE: 'act', PAGE_CLAIM: 'groups=flink' });

  it('cancels a run in the name of who has the token', async () => {
    const path = `ledger/${recordKey(live.runId)}`;
    expect((await call(`POST /api/runs/${live.runId}/cancel`, { headers: KEY, by: null })).statusCode).toBe(401);
    expect(objectText(path)).not.toContain('cancelRequested');
    expect((await call(`POST /api/runs/${live.runId}/cancel`, { headers: KEY })).statusCode).toBe(200);
    const stored = JSON.parse(objectText(path) ?? '{}') as object;
    expect(stored).toMatchObject({ cancelRequested: { by: `ann of ${issuer.url}` } });
    expect(sentTo(RUNS)).toHaveLength(1);
  });

  it('asks for a run again by a message', async () => {
    const answer = await call(`POST /api/runs/${run.runId}/rerun`, { headers: KEY });
    expect(answer.statusCode).toBe(200);
    expect(sentTo(MESSAGES).map(({ body }) => JSON.parse(body) as object)).toMatchObject([{ rerunRun: run.runId }]);
  });
});

describe('the environment of the page', () => {
  const good = {
    ...{ LEDGER_BUCKET: 'l', RUN_QUEUE_URL: RUNS, MESSAGE_QUEUE_URL: MESSAGES, SCHEDULE_GROUP: 'g' },
    ...{ PAGE_ISSUER: 'https://issuer.invalid', PAGE_CLIENT: CLIENT },
  };

  it('is read-only where nothing else is said', () => {
    expect(readPageConfig(good)).toMatchObject({ PAGE: 'read', PAGE_CLAIM: undefined });
    expect(readPageConfig({ ...good, PAGE_CLAIM: 'a=b=c' }).PAGE_CLAIM).toEqual({ name: 'a', value: 'b=c' });
  });

  it('must say who may order, where people may', () => {
    expect(() => readPageConfig({ ...good, PAGE: 'act' })).toThrow('PAGE_CLAIM');
    expect(readPageConfig({ ...good, PAGE: 'act', PAGE_CLAIM: 'groups=flink' })).toMatchObject({ PAGE: 'act' });
  });

  it.each([
    ['PAGE_ISSUER', ''],
    ['PAGE_CLIENT', ''],
    ['PAGE_CLAIM', 'groups'],
    ['PAGE', 'write'],
  ])('must say %s, and not %j', (name, value) => {
    expect(() => readPageConfig({ ...good, [name]: value })).toThrow(name);
  });
});
