import { SendMessageCommand, SQSServiceException, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import type { BatchResponse } from '../../../lib/dispatch/accept-batch.ts';
import type { FaultKind } from '../faults.ts';
import { Invocation, type Failures, type Simulation } from '../simulation.ts';
import { failuresOf, noAnswer, REQUEST_FAULTS } from './aws-failures.ts';

interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  receives: number;
  /** When the queue shows it (again). */
  visibleAt: number;
  /** Counts what changed it: an older plan to deliver it is off. */
  turn: number;
}

export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  /** Milliseconds for which a message that was received is hidden. */
  readonly visibility: number;
  readonly maxReceives: number;
  readonly batchSize: number;
  /** Milliseconds after which Lambda ends the function. */
  readonly timeout: number;
  /** What calls the function; its label names the first message of the batch. */
  readonly handler: (event: SQSEvent, invocation: Invocation) => Promise<BatchResponse>;
  /** Names a message for people and for the plan of faults: the same in every replay. */
  readonly nameOf: (body: string) => string;
}

const DELIVERY: readonly FaultKind[] = [
  'duplicated',
  'delayed',
  'shown-early',
  'not-deleted',
  'message-lost',
  'frozen',
];

const failure = failuresOf(SQSServiceException);

const SQS_FAILURES: Failures = {
  refused: () => failure('InternalFailure', 500),
  throttled: () => failure('RequestThrottled', 403),
  noAnswer,
};

/** A standard queue and the functions that Lambda calls for it: at least once, in no order, several at a time. */
export class MemoryQueue {
  readonly failed: string[] = [];
  private readonly sim: Simulation;
  private readonly options: QueueOptions;
  private readonly messages = new Map<string, Message>();
  private readonly names = new Map<string, number>();

  constructor(sim: Simulation, options: QueueOptions) {
    this.sim = sim;
    this.options = options;
  }

  /** Messages whose name begins so, delivered or not. */
  count(prefix: string): number {
    return [...this.messages.keys()].filter((id) => id.startsWith(prefix)).length;
  }

  /** All that it has is lost. */
  clear(): void {
    this.messages.clear();
  }

  get size(): number {
    return this.messages.size;
  }

  send(body: string, delay: number, attributes: Readonly<Record<string, string>> = {}, loses = false): void {
    const name = this.unique(this.options.nameOf(body));
    if (loses) return this.sim.tell(this.options.name, `${name} is lost`);
    const copies = this.sim.faults.at(`${this.options.name} ${name} sent`, ['duplicated', 'message-lost'], 0.5);
    if (copies === 'message-lost') return this.sim.tell(this.options.name, `${name} is lost ⚡message-lost`);
    this.add(name, body, delay, attributes);
    if (copies === 'duplicated') this.add(`${name}′`, body, delay, attributes);
  }

  private add(id: string, body: string, delay: number, attributes: Readonly<Record<string, string>>): void {
    const message: Message = { id, body, attributes, receives: 0, visibleAt: this.sim.now + delay, turn: 0 };
    this.messages.set(id, message);
    this.plan(message);
  }

  private unique(name: string): string {
    const count = (this.names.get(name) ?? 0) + 1;
    this.names.set(name, count);
    return count === 1 ? name : `${name}~${count}`;
  }

  /** Delivers the message once it is visible; with luck others of the queue come in the same batch. */
  private plan(message: Message): void {
    message.turn += 1;
    const { turn } = message;
    const wait = message.visibleAt - this.sim.now + this.sim.draws.between(`poll ${message.id} ${turn}`, 5, 400);
    this.sim.after(wait, () => {
      if (this.messages.get(message.id) !== message || message.turn !== turn) return;
      const batch = this.sim.draws.chance(`batch ${message.id} ${turn}`, 0.4) ? this.visible() : [message];
      // More were visible than a batch holds.
      if (!batch.includes(message)) this.plan(message);
      this.receive(batch);
    });
  }

  private visible(): Message[] {
    const now = this.sim.now;
    return [...this.messages.values()].filter(({ visibleAt }) => visibleAt <= now).slice(0, this.options.batchSize);
  }

  private receive(batch: readonly Message[]): void {
    const received = batch.filter((message) => !this.giveUp(message));
    const [first, ...others] = received;
    if (first === undefined) return;
    const question = `${this.options.name} ${first.id} delivery ${first.turn}`;
    const fault = this.sim.faults.at(question, DELIVERY, 0.6);
    if (fault === 'delayed') {
      first.visibleAt = this.sim.now + this.sim.draws.between(question, 1_000, 120_000);
      this.sim.tell(this.options.name, `${first.id} is late ⚡delayed`);
      return received.forEach((message) => this.plan(message));
    }
    if (fault === 'message-lost') {
      this.messages.delete(first.id);
      others.forEach((message) => this.plan(message));
      return this.sim.tell(this.options.name, `${first.id} is lost ⚡message-lost`);
    }
    for (const message of received) this.hide(message, question, fault);
    this.invoke(received, fault, question);
    if (fault === 'duplicated') this.invoke(received, undefined, `${question}′`);
  }

  private hide(message: Message, question: string, fault: FaultKind | undefined): void {
    message.receives += 1;
    const hidden =
      fault === 'shown-early' ? this.sim.draws.between(`${question} early`, 100, 20_000) : this.options.visibility;
    message.visibleAt = this.sim.now + hidden;
    this.plan(message);
  }

  private giveUp(message: Message): boolean {
    if (message.receives < this.options.maxReceives) return false;
    this.messages.delete(message.id);
    this.failed.push(message.body);
    this.sim.tell(this.options.name, `${message.id} goes to the dead-letter queue`);
    return true;
  }

  private invoke(batch: readonly Message[], fault: FaultKind | undefined, question: string): void {
    const { sim, options } = this;
    const invocation = new Invocation(
      question,
      batch.map(({ id }) => id),
    );
    sim.tell(invocation.label, `${batch.map(({ id }) => id).join(', ')}${fault === undefined ? '' : ` ⚡${fault}`}`);
    sim.after(options.timeout, () => sim.kill(invocation, 'is ended by Lambda: timeout'));
    // Frozen: the environment stands still before the function's first line, and the queue does not know.
    const start = fault === 'frozen' ? sim.draws.between(`${question} frozen`, 1_000, 50_000) : 0;
    sim.after(start, () => {
      options.handler(eventOf(batch, options.arn), invocation).then(
        ({ batchItemFailures }) => {
          if (!invocation.alive) return;
          invocation.alive = false;
          if (fault === 'not-deleted') return sim.tell(options.name, `${batch.length} not deleted ⚡not-deleted`);
          const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          for (const { id } of batch) if (!again.has(id)) this.messages.delete(id);
        },
        (error: unknown) => {
          sim.tell(invocation.label, `fails: ${String(error)}`);
          invocation.alive = false;
        },
      );
    });
  }
}

function eventOf(batch: readonly Message[], arn: string): SQSEvent {
  return {
    Records: batch.map(({ id, body, attributes }) => ({
      messageId: id,
      body,
      eventSource: 'aws:sqs',
      eventSourceARN: arn,
      messageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
      ),
    })),
  } as unknown as SQSEvent;
}

export interface Sent {
  readonly queue: string;
  readonly body: string;
  readonly delay: number;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/** SendMessage of one function; `nameOf` makes the effect's name. */
export function sqsClient(
  sim: Simulation,
  invocation: Invocation,
  nameOf: (sent: Sent) => string,
  /** Told when it is asked for; answers what the service does then, at once or later. */
  deliver: (sent: Sent) => () => void,
): SQSClient {
  const send = (command: { readonly input: unknown }): Promise<unknown> => {
    if (!(command instanceof SendMessageCommand)) {
      return Promise.reject(new Error(`the simulated SQS does not know ${command.constructor.name}`));
    }
    const { QueueUrl = '', MessageBody = '', DelaySeconds = 0, MessageAttributes = {} } = command.input;
    const attributes = Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
    );
    const sent: Sent = { queue: QueueUrl, body: MessageBody, delay: DelaySeconds * 1000, attributes };
    const done = deliver(sent);
    const act = (): unknown => {
      done();
      return { MessageId: 'sent' };
    };
    const what = `sqs send ${nameOf(sent)}`;
    return sim.effect(invocation, { what, act, kinds: REQUEST_FAULTS, failures: SQS_FAILURES, latency: [4, 30] });
  };
  return { send } as unknown as SQSClient;
}
