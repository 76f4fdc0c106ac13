import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../../../lib/core/aws-error.ts';
import { DispatchError } from '../../../../lib/core/errors.ts';
import { omit } from '../../../../lib/core/omit.ts';
import { HIDDEN } from '../../../../lib/core/redaction/redact.ts';
import { has, type Execute } from '../command.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { requirePart } from '../stack.ts';
import { harmless, printJson, table, type Io } from '../terminal/io.ts';
import { onlyArgument } from '../flags/only-argument.ts';

/** Seconds for which a letter that was read is shown to nobody else. */
const HIDES = 30;
const MOST = 500;

interface Letter {
  readonly id: string;
  readonly sentAt: string;
  readonly reason: string;
  readonly message: string;
  readonly field: string | undefined;
  readonly todo: string | undefined;
  readonly source: string;
  readonly truncated: boolean;
  readonly body: string;
  readonly receipt: string;
}

interface Queue {
  readonly sqs: SQSClient;
  readonly url: string;
}

/** Requests that could never become a run, and why. */
export const list: Execute = async (io, parsed) => {
  const letters = await read(await open(io, parsed));
  if (has(parsed, 'json')) printJson(io, letters.map(shown));
  else if (letters.length === 0) io.err('no dead letters, or others are reading them: try again in half a minute\n');
  else {
    const rows = letters.map(({ id, sentAt, reason, field = '-', message }) => [
      id.slice(0, 8),
      sentAt,
      reason,
      field,
      message,
    ]);
    io.out(harmless(table([['LETTER', 'SENT', 'REASON', 'FIELD', 'MESSAGE'], ...rows])));
  }
  return 0;
};

/** One of them, with what was asked for. */
export const show: Execute = async (io, parsed) => {
  const id = onlyArgument(parsed, 'dead-letters show <letter>');
  const letter = theOnly(await read(await open(io, parsed)), id);
  if (has(parsed, 'json')) printJson(io, shown(letter));
  else {
    const { sentAt, reason, field, message, todo = '', source, truncated, body } = letter;
    const about = field === undefined ? '' : ` [${field}]`;
    const whole = truncated ? ' (its end is cut off)' : '';
    io.out(
      harmless(`${letter.id} of ${sentAt} from ${source}\n${reason}: ${message}${about}\n${todo}\n\n${body}${whole}\n`),
    );
  }
  return 0;
};

/** Sends letters to where they came from, and then takes them away: done twice, one comes twice, and is never lost. */
export const redrive: Execute = async (io, parsed) => {
  const all = has(parsed, 'all');
  if (all === parsed.args.length > 0) throw new UsageError('dead-letters redrive <letter>…, or --all');
  const queue = await open(io, parsed);
  const letters = await read(queue);
  const chosen = all ? letters : parsed.args.map((id) => theOnly(letters, id));
  const refused = chosen.flatMap((letter) => whyNot(letter) ?? []);
  if (refused.length > 0 && !all) throw new DispatchError('InvalidSpec', refused.join('; '));
  for (const letter of chosen.filter((one) => whyNot(one) === undefined)) {
    await sendBack(queue, letter);
    io.out(harmless(`${letter.id} → ${letter.source}\n`));
  }
  for (const why of refused) io.err(harmless(`${why}\n`));
  return refused.length > 0 ? 1 : 0;
};

async function open(io: Io, parsed: ParsedFlags): Promise<Queue> {
  const url = await requirePart(io, parsed, 'deadLetters');
  return { sqs: new SQSClient({ useQueueUrlAsEndpoint: false }), url };
}

/** Until there are no more that are shown. */
async function read({ sqs, url }: Queue): Promise<readonly Letter[]> {
  const found = new Map<string, Letter>();
  while (found.size < MOST) {
    const input = {
      ...{ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: HIDES, WaitTimeSeconds: 1 },
      ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['SentTimestamp' as const] },
    };
    const { Messages = [] } = await asked('sqs:ReceiveMessage', url, sqs.send(new ReceiveMessageCommand(input)));
    if (Messages.length === 0) break;
    for (const message of Messages) found.set(message.MessageId ?? '', letterOf(message));
  }
  return [...found.values()].sort((a, b) => b.sentAt.localeCompare(a.sentAt));
}

function letterOf({
  MessageId = '',
  Body = '',
  ReceiptHandle = '',
  Attributes,
  MessageAttributes = {},
}: Message): Letter {
  const text = (name: string): string | undefined => MessageAttributes[name]?.StringValue;
  return {
    id: MessageId,
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)).toISOString(),
    reason: text('reason') ?? '-',
    message: text('message') ?? '-',
    field: text('field'),
    todo: text('todo'),
    source: text('source') ?? '-',
    truncated: text('truncated') === 'true',
    body: Body,
    receipt: ReceiptHandle,
  };
}

function shown(letter: Letter): unknown {
  return omit(letter, 'receipt');
}

function theOnly(letters: readonly Letter[], beginning: string): Letter {
  const [only, ...more] = letters.filter(({ id }) => id.startsWith(beginning));
  if (only === undefined) throw new UsageError(`there is no dead letter '${beginning}': dead-letters list`);
  if (more.length === 0) return only;
  throw new UsageError(`the ids of several dead letters begin with '${beginning}': write more of it`);
}

/** Why a letter cannot be sent again as it is. */
function whyNot({ id, source, truncated, body }: Letter): string | undefined {
  if (!/^arn:[^:]+:sqs:/.test(source)) return `${id} came from ${source}, and no queue takes it: ask for it anew`;
  if (truncated) return `${id} is not whole: its end was cut off; ask for it anew`;
  return body.includes(HIDDEN) ? `${id} had a secret, which is not kept: ask for it anew` : undefined;
}

async function sendBack({ sqs, url }: Queue, { id, source, body, receipt }: Letter): Promise<void> {
  const [, , , , account = '', name = ''] = source.split(':');
  const named = { QueueName: name, QueueOwnerAWSAccountId: account };
  const { QueueUrl } = await asked('sqs:GetQueueUrl', source, sqs.send(new GetQueueUrlCommand(named)));
  const fifo = name.endsWith('.fifo') ? { MessageGroupId: 'redrive', MessageDeduplicationId: id } : {};
  await asked('sqs:SendMessage', source, sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, ...fifo })));
  const done = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt });
  await asked('sqs:DeleteMessage', url, sqs.send(done));
}

async function asked<T>(action: string, resource: string, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw fromAwsError(error, { action, resource });
  });
}
