import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { acceptBatch } from '../../lib/dispatch/accept-batch.ts';
import type { Ledger } from '../../lib/run/store/ledger.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { World } from './world/simulated.ts';

const FIFO = 'arn:aws:sqs:eu-central-1:111122223333:jobs.fifo';

interface Sent {
  readonly id: string;
  readonly group?: string;
  readonly body?: string;
}

function eventOf(queueArn: string, messages: readonly Sent[]): unknown {
  return {
    Records: messages.map(({ id, group, body }) => ({
      messageId: id,
      eventSource: 'aws:sqs',
      eventSourceARN: queueArn,
      body: body ?? JSON.stringify({ name: 'nightly', job: { jarURI: 'local:///a.jar' } }),
      attributes: group === undefined ? {} : { MessageGroupId: group },
    })),
  };
}

/** @param failing how many writes of records fail, at first */
async function batch(queueArn: string, messages: readonly Sent[], failing = 1) {
  const world = new World();
  const created: string[] = [];
  let left = failing;
  const inner = world.accept.ledger;
  const ledger: Ledger = {
    read: (runId) => inner.read(runId),
    replace: (record, version) => inner.replace(record, version),
    create: async (record) => {
      const { source } = record;
      if ((left -= 1) >= 0) throw new DispatchError('StorageUnavailable', 'no answer');
      if (source.kind === 'message') created.push(source.messageId);
      return inner.create(record);
    },
  };
  const response = await acceptBatch(
    parseMessageEvent(eventOf(queueArn, messages), 0),
    () => ({ body: '', source: queueArn }),
    { ...world.accept, ledger },
  );
  return { again: response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), created };
}

const ids = (...names: string[]): Sent[] => names.map((id) => ({ id, group: 'g' }));

describe('a batch of a FIFO queue', () => {
  it('returns the first that failed and all after it, which are not touched', async () => {
    expect(await batch(FIFO, ids('m1', 'm2', 'm3'))).toEqual({ again: ['m1', 'm2', 'm3'], created: [] });
  });

  it('accepts all in their order when nothing fails', async () => {
    expect(await batch(FIFO, ids('m1', 'm2', 'm3'), 0)).toEqual({ again: [], created: ['m1', 'm2', 'm3'] });
  });

  it('goes on with other groups', async () => {
    const messages = [
      { id: 'a1', group: 'a' },
      { id: 'b1', group: 'b' },
      { id: 'a2', group: 'a' },
      { id: 'b2', group: 'b' },
    ];
    const { again, created } = await batch(FIFO, messages);
    expect(again).toEqual(['a1', 'a2']);
    expect(created).toEqual(['b1', 'b2']);
  });

  it('lets a message that nobody can read go to the dead letters, and the others go on', async () => {
    const messages = [{ id: 'm1', group: 'g', body: 'no: [yaml' }, ...ids('m2', 'm3')];
    expect(await batch(FIFO, messages, 0)).toEqual({ again: [], created: ['m2', 'm3'] });
  });

  it('keeps order without a group as well, and on its second delivery', async () => {
    expect(await batch(FIFO, [{ id: 'm1' }, { id: 'm2' }])).toEqual({ again: ['m1', 'm2'], created: [] });
    expect(await batch(FIFO, [{ id: 'm1' }, { id: 'm2' }], 0)).toMatchObject({ created: ['m1', 'm2'] });
  });

  it('is not that of a fair queue, whose groups have no order', async () => {
    const { again, created } = await batch(FIFO.replace('.fifo', ''), ids('m1', 'm2', 'm3'));
    expect(again).toHaveLength(1);
    expect(created).toHaveLength(2);
  });
});
