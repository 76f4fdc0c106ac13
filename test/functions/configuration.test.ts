import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { RECHECK_MS } from '../../lib/install/config-source.ts';
import { CONFIG_KEY } from '../../lib/install/stored-config.ts';
import { CONTEXT, objectPaths, putObject, records, removeObject, resetAws, setEnvironment } from './aws.ts';

const PATH = `ledger/${CONFIG_KEY}`;
const SPEC = { name: 'nightly', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' } };
const EVENT = {
  Records: [
    {
      messageId: 'm',
      body: JSON.stringify({ spec: SPEC, idempotencyKey: 'once' }),
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:messages',
      attributes: {},
    },
  ],
};

let onMessage: (event: unknown, context: Context) => Promise<unknown>;
let restore: () => void;

beforeAll(() => {
  restore = setEnvironment('https://api.invalid');
});
afterAll(() => {
  restore();
  vi.useRealTimers();
  vi.resetModules();
});
beforeEach(async () => {
  resetAws();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.resetModules();
  ({ handler: onMessage } = await import('../../functions/on-message.ts'));
});

it('a function without a configuration leaves its messages in the queue, and begins when there is one', async () => {
  removeObject(PATH);
  await expect(onMessage(EVENT, CONTEXT)).rejects.toMatchObject({ reason: 'InvalidConfiguration' });
  expect(objectPaths()).toEqual([]);
  resetAws();
  expect(await onMessage(EVENT, CONTEXT)).toEqual({ batchItemFailures: [] });
  expect(records()).toHaveLength(1);
});

it('a warm function goes by another configuration once it is stored, and by none that is bad', async () => {
  await onMessage({ Records: [] }, CONTEXT);
  const closed = { targets: { default: { namespace: 'flink', access: { kind: 'in-cluster' } } } };
  putObject(PATH, JSON.stringify(closed));
  vi.setSystemTime(Date.now() + RECHECK_MS);
  await onMessage(EVENT, CONTEXT);
  expect(records()).toMatchObject([{ state: 'ended', outcome: { state: 'rejected' } }]);
  putObject(PATH, 'targets: {}');
  vi.setSystemTime(Date.now() + RECHECK_MS);
  await onMessage({ Records: [{ ...EVENT.Records[0], body: JSON.stringify({ spec: SPEC }) }] }, CONTEXT);
  expect(records().map(({ outcome }) => outcome?.state)).toEqual(['rejected', 'rejected']);
});
