import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { LambdaRuntime } from '../lambda/runtimes.ts';
import { startSandbox, type InvocationResult, type Sandbox } from '../lambda/sandbox.ts';
import { count, type Fault, type Faults } from './faults.ts';
import type { Strikes } from './streams/strikes.ts';

export interface FunctionOptions {
  /** `advance-run` */
  readonly name: string;
  readonly runtime: LambdaRuntime;
  /** Of the bundles; gets what the functions write, too. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly faults: Faults;
  readonly strikes: Strikes;
}

const UNHARMED: Fault = { kind: 'none' };

/** What Lambda still kills of a function that was stopped: not before it had the time that it was told. */
const AFTER_FREEZE = 10_000;

/** A deployed function: as many execution environments as are busy at once, each begun anew when it was killed. */
export class LambdaFunction {
  readonly options: FunctionOptions;
  private readonly idle: Sandbox[] = [];
  private readonly all = new Set<Sandbox>();

  constructor(options: FunctionOptions) {
    this.options = options;
  }

  /** `undefined`: it was killed, ran out of time, or threw. */
  async invoke(event: object): Promise<InvocationResult | undefined> {
    const { name, timeout, faults, strikes } = this.options;
    const sandbox = this.idle.pop() ?? (await this.begin());
    const isAimedAt = strikes.arm(sandbox.pid, event);
    const fault = isAimedAt ? UNHARMED : faults.next(name, timeout * 1.2);
    faults.counts.invocations += 1;
    const struck = this.strike(sandbox, fault);
    const grace = fault.kind === 'freeze' ? fault.for + AFTER_FREEZE : 0;
    try {
      const result = await sandbox.invoke(event, timeout, grace).finally(() => strikes.disarm(sandbox.pid, event));
      // It may have answered a moment before it died.
      if (struck()) await this.bury(sandbox);
      else this.idle.push(sandbox);
      if (fault.kind === 'none') faults.lasted(name, result.ms);
      return result.functionError === undefined ? result : undefined;
    } catch {
      struck();
      await this.bury(sandbox);
      return undefined;
    }
  }

  async stop(): Promise<void> {
    for (const sandbox of this.all) await this.bury(sandbox);
  }

  private async begin(): Promise<Sandbox> {
    const { name, runtime, folder, environment } = this.options;
    const sandbox = await startSandbox({ runtime, folder, handler: `functions/${name}.handler`, environment });
    this.all.add(sandbox);
    return sandbox;
  }

  private async bury(sandbox: Sandbox): Promise<void> {
    if (!this.all.delete(sandbox)) return;
    await sandbox.stop();
    await appendFile(join(this.options.folder, `${this.options.name}.log`), sandbox.log());
  }

  /** Strikes the process in the middle of its work; the answer says whether it did, and takes back what is still to come. */
  private strike({ pid }: Sandbox, fault: Fault): () => boolean {
    if (fault.kind === 'none') return () => false;
    const { faults, name } = this.options;
    let struck = false;
    const timers = [
      setTimeout(() => {
        struck = true;
        count(fault.kind === 'kill' ? faults.counts.killed : faults.counts.frozen, name);
        signal(pid, fault.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      }, fault.after),
    ];
    if (fault.kind === 'freeze') timers.push(setTimeout(() => signal(pid, 'SIGCONT'), fault.after + fault.for));
    return () => {
      timers.forEach((timer) => clearTimeout(timer));
      return struck;
    };
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

export interface EventSource {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  /** Batches at once. */
  readonly concurrency: number;
}

/**
 * An event source mapping with ReportBatchItemFailures: what a function does not answer for stays in its queue, and comes
 * again when it is visible. As SQS may, it gives some messages to two functions at once, and some once more after they
 * were done. Resolves when it was stopped and the last batch is over.
 */
export async function mapEvents(to: LambdaFunction, source: EventSource, signal: AbortSignal): Promise<void> {
  const slots = Array.from({ length: source.concurrency }, async () => {
    while (!signal.aborted) await pass(to, source).catch(() => sleep(100));
  });
  await Promise.all(slots);
}

async function pass(to: LambdaFunction, source: EventSource): Promise<void> {
  const { sqs, queueUrl, batchSize } = source;
  const { faults, strikes, name } = to.options;
  const want = { QueueUrl: queueUrl, MaxNumberOfMessages: batchSize, WaitTimeSeconds: 1 };
  const all = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] };
  const { Messages: messages = [] } = await sqs.send(new ReceiveMessageCommand({ ...want, ...all }));
  if (messages.length === 0) return;
  const event = eventOf(messages, source);
  const twice = faults.duplicates(`${name} at once`);
  const again = faults.duplicates(`${name} again`);
  const [result] = await Promise.all([to.invoke(event), twice ? to.invoke(event) : undefined]);
  if (twice || again) faults.counts.duplicates += messages.length;
  if (result === undefined && strikes.hit(event)) await giveBack(source, messages);
  if (result === undefined || again) return;
  await remove(source, messages, result);
}

async function remove(
  { sqs, queueUrl }: EventSource,
  messages: readonly Message[],
  result: InvocationResult,
): Promise<void> {
  const { batchItemFailures } = result.payload as { batchItemFailures: readonly { itemIdentifier: string }[] };
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const done = messages.filter(({ MessageId = '' }) => !failed.has(MessageId));
  const Entries = done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

/** At once, and as new ones: each effect of theirs may cost a reception, and five are all that there are. */
async function giveBack({ sqs, queueUrl }: EventSource, messages: readonly Message[]): Promise<void> {
  const again = messages.map(({ Body: MessageBody }, index) => ({ Id: String(index), MessageBody }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: again }));
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

function eventOf(messages: readonly Message[], { queueArn }: EventSource): object {
  return {
    Records: messages.map(({ MessageId, Body, Attributes, ReceiptHandle }) => ({
      ...{ messageId: MessageId, receiptHandle: ReceiptHandle, body: Body, attributes: Attributes },
      ...{ messageAttributes: {}, eventSource: 'aws:sqs', eventSourceARN: queueArn, awsRegion: 'us-east-1' },
    })),
  };
}
