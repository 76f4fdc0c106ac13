import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { jarFixture } from '../job/jar/memory-objects.ts';
import { CONTEXT, eventFixture, objectPaths, putObject, records, resetAws, setEnvironment } from './aws.ts';

const ACCOUNT = 'eu-central-1:111122223333';
const queueOf = (tenant: string): string => `arn:aws:sqs:${ACCOUNT}:${tenant}-jobs`;
const tenantOf = (name: string) => ({
  sources: [{ bucket: 'jars', prefix: `${name}/` }, { queue: queueOf(name) }, { scheduleGroup: name }],
  targets: { default: [name] },
  allow: { images: ['flink:*'], jarBuckets: ['jars'] },
});
const TENANTS = {
  allow: undefined,
  targets: { default: { namespace: 'payments', namespaces: ['orders'], access: { kind: 'in-cluster' } } },
  tenants: { payments: tenantOf('payments'), orders: tenantOf('orders') },
};
const NIGHTLY = 'name: nightly\njob: { jarURI: local:///opt/job.jar, entryClass: a.B }';

type Handler = (event: unknown, context: Context) => Promise<unknown>;
let handlers: Record<'onJarUpload' | 'onMessage' | 'onSchedule', Handler>;
let restore: () => void;

// Functions read their configuration once: these are functions of another deployment than those of other tests.
beforeAll(async () => {
  restore = setEnvironment('https://api.invalid', TENANTS);
  vi.resetModules();
  const [upload, message, schedule] = await Promise.all([
    import('../../functions/on-jar-upload.ts'),
    import('../../functions/on-message.ts'),
    import('../../functions/on-schedule.ts'),
  ]);
  handlers = { onJarUpload: upload.handler, onMessage: message.handler, onSchedule: schedule.handler };
});
afterAll(() => {
  restore();
  vi.resetModules();
});
beforeEach(resetAws);

function message(queue: string): unknown {
  const body = JSON.stringify({
    spec: { name: 'nightly', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' } },
  });
  return { Records: [{ messageId: 'm', body, eventSource: 'aws:sqs', eventSourceARN: queue, attributes: {} }] };
}

function upload(key: string, bucket = 'jars'): unknown {
  const object = { key, size: 1, sequencer: '0055AED6DCD90281E5' };
  const event = { eventName: 'ObjectCreated:Put', eventTime: '2026-11-21T04:30:00.123Z', eventSource: 'aws:s3' };
  return { Records: [{ ...event, s3: { bucket: { name: bucket }, object } }] };
}

function firing(group: string, more: object = {}): unknown {
  const schedule = `arn:aws:scheduler:${ACCOUNT}:schedule/${group}/nightly`;
  return { ...(eventFixture('schedule') as object), schedule, ...more };
}

/** As Lambda tells a function which alias was called. */
const calledBy = (alias: string): Context => ({
  ...CONTEXT,
  invokedFunctionArn: `${CONTEXT.invokedFunctionArn}:${alias}`,
});

describe('the functions of a deployment with tenants', () => {
  it.each(['payments', 'orders'])('accept a message, an upload and a schedule for %s', async (tenant) => {
    putObject(`jars/${tenant}/a.jar`, jarFixture('main-class'));
    putObject(`ledger/jobs/${tenant}/nightly.yaml`, NIGHTLY);
    await handlers.onMessage(message(queueOf(tenant)), CONTEXT);
    await handlers.onJarUpload(upload(`${tenant}/a.jar`), CONTEXT);
    await handlers.onSchedule(firing(tenant), calledBy(tenant));
    const found = records().map((record) => [record.source.kind, record.state, record.tenant, record.job?.namespace]);
    expect(found.sort()).toEqual(
      ['jar-upload', 'message', 'schedule'].map((kind) => [kind, 'accepted', tenant, tenant]),
    );
    const markers = objectPaths().filter((path) => path.startsWith('ledger/live/'));
    // Each with its row.
    expect(markers).toHaveLength(6);
    for (const path of markers) expect(path.startsWith(`ledger/live/${tenant}/`)).toBe(true);
  });

  it('refuse what is of no tenant, whatever it says of itself', async () => {
    putObject('jars/other/a.jar', jarFixture('main-class'));
    for (const folder of ['', 'payments/', 'flink-dispatch/']) putObject(`ledger/jobs/${folder}nightly.yaml`, NIGHTLY);
    await handlers.onMessage(message(`${queueOf('payments')}-2`), CONTEXT);
    await handlers.onJarUpload(upload('other/a.jar'), CONTEXT);
    await handlers.onJarUpload(upload('payments/a.jar', 'jars-2'), CONTEXT);
    await handlers.onSchedule(firing('payments'), CONTEXT);
    await handlers.onSchedule(firing('others'), calledBy('others'));
    // One that says another group than the one by which it calls becomes no run at all.
    expect(await handlers.onSchedule(firing('payments'), calledBy('orders'))).toEqual({ result: 'dead-letter' });
    expect(records()).toHaveLength(5);
    for (const { outcome, tenant } of records()) {
      expect(outcome).toMatchObject({ state: 'rejected', reason: 'NotAllowed', field: 'source' });
      expect(tenant).toBeUndefined();
    }
  });
});
