import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { originalIn } from '../../functions/sqs.ts';
import { acceptBatch } from '../../lib/dispatch/accept-batch.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { World } from '../dispatch/world/simulated.ts';

const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:flink-jobs';
const JOB = { jarURI: 'local:///opt/flink/usrlib/a.jar' };

const manifest = (kind: string, name: string | undefined, spec: object): object => ({
  apiVersion: 'flink.apache.org/v1beta1',
  kind,
  metadata: { name },
  spec,
});
const deployment = (name?: string) => manifest('FlinkDeployment', name, { job: JOB });
const session = (name: string) => manifest('FlinkDeployment', name, { image: 'flink:2.3.0' });
const jobIn = (deploymentName: string, name: string) => manifest('FlinkSessionJob', name, { deploymentName, job: JOB });

const textOf = (documents: readonly object[]): string => documents.map((one) => `---\n${stringify(one)}`).join('');

function eventOf(body: string, more: object = {}) {
  return {
    Records: [{ messageId: 'm1', eventSource: 'aws:sqs', eventSourceARN: QUEUE, attributes: {}, body, ...more }],
  };
}
const parse = (documents: readonly object[], more?: object) =>
  parseMessageEvent(eventOf(textOf(documents), more), 0)[0];
const namesOf = (documents: readonly object[]) =>
  parse(documents)?.requests.map(({ spec }) => (spec as { metadata: { name: string } }).metadata.name);

describe('a message of several manifests', () => {
  it('is a run each, told apart by their names', () => {
    const [a, b] = parse([deployment('a'), deployment('b')])?.requests ?? [];
    expect(a?.identity).toBe(JSON.stringify(['sqs', QUEUE, 'message', 'm1', 'a']));
    expect(b).toMatchObject({ spec: deployment('b'), source: { messageId: 'm1' } });
  });

  it('has one key for all, which is that of each job’s own message', () => {
    const attribute = { messageAttributes: { idempotencyKey: { stringValue: 'k' } } };
    const together = parse([deployment('a'), deployment('b')], attribute)?.requests ?? [];
    const alone = parse([deployment('b')], attribute)?.requests ?? [];
    expect(together[1]).toMatchObject({ source: { idempotencyKey: 'k' }, identity: alone[0]?.identity });
  });

  it('passes over a session cluster that its jobs name, and no other', () => {
    expect(namesOf([session('s'), jobIn('s', 'a'), jobIn('s', 'b')])).toEqual(['a', 'b']);
    expect(namesOf([session('s'), jobIn('t', 'a')])).toEqual(['s', 'a']);
    expect(namesOf([deployment('s'), jobIn('s', 'a')])).toEqual(['s', 'a']);
  });

  it('comes from a topic, too', () => {
    const Message = textOf([deployment('a'), deployment('b')]);
    const body = JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:eu-central-1:1:t', Message });
    expect(parseMessageEvent(eventOf(body), 0)[0]?.requests).toHaveLength(2);
  });

  it.each([
    [[deployment('a'), { cancelRun: '344e2e84cefa8d544286' }], /2 YAML documents, and number 2 is no manifest/],
    [
      [manifest('Secret', 's', {}), deployment('a')],
      /number 1 is a Secret: only FlinkDeployments and FlinkSessionJobs/,
    ],
    [[deployment('a'), jobIn('x', 'a')], /need a metadata.name of their own each/],
    [[deployment(), deployment()], /need a metadata.name of their own each/],
    [Array.from({ length: 21 }, (_, i) => deployment(`a${i}`)), /21 YAML documents, of which 20 can come together/],
  ])('is refused as a whole when it is no list of jobs: %#', (documents, message) => {
    expect(parse(documents)).toMatchObject({
      requests: [],
      error: { reason: 'MalformedRequest', message: expect.stringMatching(message) as string },
    });
  });

  it('has a dead letter for each that is refused, with that one alone', async () => {
    const world = new World();
    const bad = manifest('FlinkDeployment', 'bad', { job: { jarURI: 's3://other-bucket/a.jar' } });
    const event = eventOf(textOf([deployment('good'), bad]));
    const send = () => acceptBatch(parseMessageEvent(event, 0), originalIn(event), world.accept);
    expect(await send()).toEqual({ batchItemFailures: [] });
    expect(world.deadLetters.map(({ body }) => JSON.parse(body) as unknown)).toEqual([bad]);
    await send();
    expect(world.records.map(({ name }) => name).sort()).toEqual(['bad', 'good']);
  });
});
