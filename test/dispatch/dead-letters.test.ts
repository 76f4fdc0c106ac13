import { describe, expect, it } from 'vitest';
import { acceptBatch } from '../../lib/dispatch/accept-batch.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { originalIn } from '../../functions/sqs.ts';
import { World } from './world/simulated.ts';

describe('the dead letter of a message that is refused', () => {
  it.each([
    ['YAML with a comment', '# nightly\nname: nightly\njob:\n  jarURI: s3://other-bucket/a.jar # not allowed\n'],
    ['a stored job that is not there, with its key', '{ "runJob": "none",  "idempotencyKey": "2026-11-21" }'],
    ['an envelope', '{"spec": {"job": {"jarURI": "ftp://x"}}, "idempotencyKey": "k"}'],
    ['a FlinkDeployment', 'apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nspec: { job: {} }\n'],
    ['no YAML at all', 'no: [yaml'],
  ])('has the body as it came: %s', async (_what, body) => {
    const world = new World();
    const record = { messageId: 'm1', eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:eu-central-1:1:jobs', body };
    const event = { Records: [{ ...record, attributes: {} }] };
    const send = () => acceptBatch(parseMessageEvent(event, 0), originalIn(event), world.accept);
    expect(await send()).toEqual({ batchItemFailures: [] });
    expect(world.deadLetters.map((letter) => letter.body)).toEqual([body]);
    // A second delivery tells of the same message.
    await send();
    expect(new Set(world.deadLetters.map((letter) => letter.body))).toEqual(new Set([body]));
  });
});
