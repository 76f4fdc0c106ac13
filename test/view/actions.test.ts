import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import type { Order } from '../../lib/dispatch/deployment/order.ts';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import { createS3Deployments } from '../../lib/deployment/store/s3-deployments.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { recordKey } from '../../lib/run/record.ts';
import { actionsOn, type Actions } from '../../lib/view/server/actions.ts';
import { localDoor } from '../../lib/view/server/door.ts';
import { appOn, HOST } from './app-on.ts';
import { shownLedger, type Shown } from './ledger-of.ts';

const TOKEN = 'a-token-of-this-page';
const HEADER = 'x-flink-dispatch-token';
const GOOD = { [HEADER]: TOKEN, 'idempotency-key': 'press-of-a-button' };
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

let shown: Shown;
beforeAll(async () => void (shown = await shownLedger()), 120_000);

const sent: object[] = [];
const ordered: (readonly [Order, string])[] = [];
const stream = { id: '0123456789abcdef0123' } as unknown as DeploymentRecord;
beforeEach(() => void (sent.length = ordered.length = 0));

function actions(): Actions {
  const { bucket } = shown.s3;
  const deps = {
    ledger: createS3Ledger(bucket),
    deployments: createS3Deployments(bucket),
    runQueue: { send: () => Promise.resolve() },
    clock: { now: () => shown.now, sleep: () => Promise.resolve() },
    log: SILENT,
  };
  return {
    ...actionsOn(deps, (body) => Promise.resolve(void sent.push(body))),
    orderStream: (_, order, { by }) => {
      ordered.push([order, by]);
      return Promise.resolve({ generation: 3 });
    },
  };
}

async function post(path: string, headers: Record<string, string> = GOOD, body?: object, mayAct = true) {
  const ports = { ...(mayAct && { actions: actions() }), stream: () => Promise.resolve(stream) };
  const app = appOn(shown.s3, ports, localDoor(TOKEN, 'ann'));
  const init = { method: 'POST', headers: { host: HOST, ...headers }, ...(body && { body: JSON.stringify(body) }) };
  const answer = await app.request(`http://${HOST}${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const stored = (id: string): unknown => JSON.parse(shown.s3.text(`ledger/${recordKey(id as Shown['failed'])}`) ?? '{}');

describe('a write', () => {
  it.each([
    ['no token', {}, 401],
    ['another token', { [HEADER]: `${TOKEN}x` }, 401],
    ['a page of another site', { ...GOOD, origin: 'http://evil.example' }, 403],
    ['no key of its own', { [HEADER]: TOKEN }, 400],
  ])('with %s changes nothing', async (_, headers: Record<string, string>, status) => {
    expect((await post(`/api/runs/${shown.running}/cancel`, headers)).status).toBe(status);
    expect(stored(shown.running)).not.toHaveProperty('cancelRequested');
  });

  it('is refused by a page that is read-only, whatever the caller has', async () => {
    const { status, body } = await post(`/api/runs/${shown.running}/cancel`, GOOD, undefined, false);
    expect([status, body['message']]).toEqual([403, expect.stringContaining('--allow-actions')]);
    expect(stored(shown.running)).not.toHaveProperty('cancelRequested');
  });

  it('cancels a run in the name of who asks', async () => {
    expect(await post(`/api/runs/${shown.waiting}/cancel`)).toMatchObject({ status: 200, body: { result: 'asked' } });
    expect(stored(shown.waiting)).toMatchObject({ cancelRequested: { by: 'ann', reason: 'JobCanceled' } });
    expect(await post(`/api/runs/${shown.failed}/cancel`)).toMatchObject({ status: 200, body: { result: 'ended' } });
  });

  it('runs again by a message, of which the same press makes the same run', async () => {
    const first = await post(`/api/runs/${shown.failed}/rerun`);
    expect(sent).toEqual([
      { rerunRun: shown.failed, idempotencyKey: expect.stringMatching(/^[0-9a-f]{40}$/) as string },
    ]);
    expect(first.body['runId']).toMatch(/^[0-9a-f]{20}$/);
    expect(await post(`/api/runs/${shown.failed}/rerun`)).toEqual(first);
    const other = await post(`/api/runs/${shown.failed}/rerun`, { ...GOOD, 'idempotency-key': 'another-press' });
    expect(other.body['runId']).not.toBe(first.body['runId']);
  });

  it('says why where no queue is named', async () => {
    const without = actionsOn({} as Parameters<typeof actionsOn>[0], undefined);
    const again = without.again({} as never, 'replay', { by: 'ann', once: 'x' });
    await expect(again).rejects.toThrow(DispatchError);
  });

  it.each<readonly [string, object | undefined, Order]>([
    ['suspend', undefined, { kind: 'suspend' }],
    ['rollback', { acceptDuplicates: true }, { kind: 'rollback', acceptDuplicates: true }],
    ['rollback', { acceptDuplicates: 'yes' }, { kind: 'rollback', acceptDuplicates: false }],
    ['upgrade', { to: 2 }, { kind: 'upgrade', to: 2 }],
  ])('orders a stream to %s', async (kind, body, order) => {
    expect((await post(`/api/streams/${stream.id}/${kind}`, GOOD, body)).body).toEqual({ generation: 3 });
    expect(ordered).toEqual([[order, 'ann']]);
  });

  it.each([
    ['/api/runs/RUN/delete', undefined],
    ['/api/streams/x/delete', undefined],
    ['/api/streams/x/upgrade', undefined],
    ['/api/streams/x/upgrade', { to: '2' }],
    ['/api/streams/x/upgrade', []],
  ])('of another kind is refused: %s %j', async (path, body) => {
    expect((await post(path.replace('RUN', shown.failed), GOOD, body)).status).toBe(400);
    expect(ordered).toEqual([]);
  });
});
