import { S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient, type SendMessageCommandInput } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { isDispatchError } from '../../lib/core/errors.ts';
import { isRunId, type RunId } from '../../lib/core/ids.ts';
import { orderRun } from '../../lib/operate/order-run.ts';
import { runAgain } from '../../lib/operate/run-again.ts';
import { runIdOfAgain } from '../../lib/operate/again-id.ts';
import { isAgain, type AgainKind, type OrderKind } from '../../lib/trigger/order.ts';
import { runCli } from '../../packages/cli/test/run-cli.ts';
import { Caller } from '../dispatch/world/driven.ts';
import { QUEUE_ARN, type World } from '../dispatch/world/simulated.ts';
import { FUNCTIONS, LEDGER, RUNS_URL } from '../prove/functions.ts';

/** What a way answered: the reason of a refusal, or the run that it made, or nothing. */
export interface Told {
  readonly refused?: string;
  readonly runId?: RunId;
}

/** Asks for an operation in one of the ways that there are; the same `key` again is the same order. */
export type Way = (world: World, kind: OrderKind | AgainKind, runId: RunId, key: string) => Promise<Told>;

let messages = 0;

async function send(world: World, body: string): Promise<void> {
  messages += 1;
  const record = { messageId: `order-${messages}`, body, eventSource: 'aws:sqs', eventSourceARN: QUEUE_ARN };
  const answer = await FUNCTIONS.onMessage(world, { Records: [record] } as never, new Caller('order'));
  if (answer.batchItemFailures.length > 0) throw new Error('the message comes again');
}

async function inProcess(...[world, kind, runId, once]: Parameters<Way>): Promise<Told> {
  const who = { scope: { kind: 'all' }, by: 'a person', once } as const;
  try {
    if (isAgain(kind)) return { runId: (await runAgain({ kind, runId }, who, world.accept)).runId };
    await orderRun({ kind, runId }, who, world.dispatch);
    return {};
  } catch (error) {
    if (isDispatchError(error)) return { refused: error.reason };
    throw error;
  }
}

async function byMessage(...[world, kind, runId, key]: Parameters<Way>): Promise<Told> {
  const before = world.deadLetters.length;
  const again = isAgain(kind);
  await send(world, JSON.stringify({ [`${kind}Run`]: runId, ...(again && { idempotencyKey: key }) }));
  const refused = world.deadLetters.slice(before)[0]?.reason;
  if (refused !== undefined) return { refused };
  return again ? { runId: runIdOfAgain(kind, world.record(runId), key) } : {};
}

const ROUTES: Readonly<Record<OrderKind | AgainKind, readonly [method: string, path: string]>> = {
  cancel: ['DELETE', ''],
  stop: ['POST', '/stop'],
  savepoint: ['POST', '/savepoint'],
  rerun: ['POST', '/rerun'],
  replay: ['POST', '/replay'],
};

async function byHttp(...[world, kind, runId, key]: Parameters<Way>): Promise<Told> {
  const [method, path] = ROUTES[kind];
  const call = {
    ...{ method, path: `/runs/${runId}${path}`, query: {}, headers: { 'idempotency-key': key }, body: '' },
    caller: { kind: 'iam', principal: 'arn:aws:iam::111122223333:role/people' },
    requestId: key,
  } as const;
  const { body } = await FUNCTIONS.onHttp(world, call, new Caller('http'));
  const answer = JSON.parse(body) as { readonly reason?: string; readonly runId?: RunId };
  if (answer.reason !== undefined) return { refused: answer.reason };
  return isAgain(kind) ? { runId: answer.runId ?? runId } : {};
}

/** The command line knows the bucket and the queue, and nothing of the functions. */
async function byCommand(...[world, kind, runId, key]: Parameters<Way>): Promise<Told> {
  const [s3, sqs] = [mockClient(S3Client), mockClient(SQSClient)];
  const bucket = world.s3.client(new Caller('command line'));
  const before = world.deadLetters.length;
  s3.send.callsFake((command: Parameters<typeof bucket.send>[0]) => bucket.send(command));
  sqs.on(SendMessageCommand).callsFake(async ({ QueueUrl, MessageBody = '' }: SendMessageCommandInput) => {
    if (QueueUrl === RUNS_URL) world.runQueue.send(MessageBody, 0);
    else await send(world, MessageBody);
    return { MessageId: 'm' };
  });
  try {
    const env = {
      FLINK_DISPATCH_LEDGER: LEDGER,
      FLINK_DISPATCH_RUN_QUEUE: RUNS_URL,
      FLINK_DISPATCH_QUEUE: 'https://q',
    };
    const keyed = isAgain(kind) ? ['--key', key] : [];
    const { code, out, err } = await runCli(['runs', kind, runId, ...keyed], { env });
    const refused = world.deadLetters.slice(before)[0]?.reason;
    if (refused !== undefined) return { refused };
    if (code !== 0)
      return { refused: /there is no run/.test(err) ? 'RunNotFound' : (/\b[A-Z]\w+/.exec(err)?.[0] ?? err) };
    const made = out.trim();
    return isAgain(kind) && isRunId(made) ? { runId: made } : {};
  } finally {
    s3.restore();
    sqs.restore();
  }
}

/** Every operation can be had in each of them, with the same words and errors. */
export const WAYS: Readonly<Record<string, Way>> = {
  'in process': inProcess,
  'by message': byMessage,
  'by HTTP': byHttp,
  'by command': byCommand,
};
