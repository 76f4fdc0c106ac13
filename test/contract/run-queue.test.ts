import { beforeEach, describe, expect, it } from 'vitest';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { runIdFor } from '../../lib/core/ids.ts';
import { createSqsDeadLetters } from '../../lib/run/store/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../../lib/run/store/sqs-run-queue.ts';
import { parseRunMessage, type RunMessage, type RunQueue } from '../../lib/run/store/run-queue.ts';
import { FakeRunQueue } from '../fakes/run-queue.ts';
import { clientsOf, forEachAwsServer, freshQueue } from './aws-server.ts';

interface Subject {
  readonly queue: RunQueue;
  /** Messages that are visible within `seconds`. */
  receive(seconds: number): Promise<RunMessage[]>;
}

const message: RunMessage = { version: 1, runId: runIdFor('a'), step: 3 };

describeRunQueue('fake', () => {
  let now = 0;
  const queue = new FakeRunQueue(() => now);
  const receive = (seconds: number): Promise<RunMessage[]> => {
    now += seconds * 1000;
    return Promise.resolve(queue.due());
  };
  return Promise.resolve({ queue, receive });
});

forEachAwsServer((server) => {
  describeRunQueue(`SQS of ${server.name}`, async () => {
    const { sqs } = clientsOf(server);
    const queueUrl = await freshQueue(server);
    return {
      queue: createSqsRunQueue({ sqs, queueUrl }),
      async receive(seconds) {
        const input = { QueueUrl: queueUrl, WaitTimeSeconds: seconds, MaxNumberOfMessages: 10 };
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input));
        return Messages.map(({ Body = '' }) => parseRunMessage(Body));
      },
    };
  });

  describe(`dead letters: SQS of ${server.name}`, () => {
    it('keep the body and say why', async () => {
      const { sqs } = clientsOf(server);
      const queueUrl = await freshQueue(server);
      const letters = createSqsDeadLetters({ sqs, queueUrl });
      const body = `{"name":"Ü\uFFFF\u0000"}${'x'.repeat(300_000)}`;
      await letters.put({ body, source: 'arn:q', reason: 'InvalidName', message: 'bad name', field: 'name' });
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 2, MessageAttributeNames: ['All'] }),
      );
      expect(Messages[0]?.Body?.startsWith('{"name":"Ü')).toBe(true);
      const attributes = Object.entries(Messages[0]?.MessageAttributes ?? {});
      expect(Object.fromEntries(attributes.map(([name, { StringValue }]) => [name, StringValue]))).toMatchObject({
        reason: 'InvalidName',
        field: 'name',
        message: 'bad name',
        truncated: 'true',
      });
    });
  });
});

function describeRunQueue(name: string, make: () => Promise<Subject>): void {
  describe(`run queue: ${name}`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await make();
    });

    it('delivers at once without a delay', async () => {
      await subject.queue.send(message, 0);
      expect(await subject.receive(1)).toEqual([message]);
    });

    it('takes any delay, and delivers nothing before it', async () => {
      await subject.queue.send(message, 0.2);
      await subject.queue.send({ ...message, step: 4 }, 100_000);
      expect(await subject.receive(0)).toEqual([]);
      expect(await subject.receive(3)).toEqual([message]);
    });
  });
}
