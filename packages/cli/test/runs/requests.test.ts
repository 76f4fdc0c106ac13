import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { omit } from '../../../../lib/core/omit.ts';
import { runCli } from '../run-cli.ts';

const sqs = mockClient(SQSClient);
const scheduler = mockClient(SchedulerClient);
const folder = mkdtempSync(join(tmpdir(), 'requests-'));
afterAll(() => {
  sqs.restore();
  scheduler.restore();
  rmSync(folder, { recursive: true });
});

const LETTERS = 'https://sqs.test/dead-letters';
const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:messages';
const ENV = {
  FLINK_DISPATCH_DEAD_LETTERS: LETTERS,
  FLINK_DISPATCH_SCHEDULE_GROUP: 'prod',
  FLINK_DISPATCH_SCHEDULE_ROLE: 'arn:role',
  FLINK_DISPATCH_SCHEDULE_TARGET: 'arn:function',
  FLINK_DISPATCH_SCHEDULES_FAILED: 'arn:failed',
};
const run = (...argv: string[]) => runCli(argv, { env: ENV });

function letter(id: string, body: string, attributes: Record<string, string> = {}): Message {
  const all = {
    reason: 'UnknownJob',
    message: 'there is no stored job',
    field: 'runJob',
    source: QUEUE,
    ...attributes,
  };
  const named = Object.entries(all).map(([name, text]) => [name, { DataType: 'String', StringValue: text }] as const);
  const MessageAttributes = Object.fromEntries(named);
  return {
    MessageId: id,
    Body: body,
    ReceiptHandle: `of ${id}`,
    Attributes: { SentTimestamp: '0' },
    MessageAttributes,
  };
}

describe('dead letters', () => {
  beforeEach(() => {
    sqs.reset();
    sqs.on(GetQueueUrlCommand, { QueueName: 'messages' }).resolves({ QueueUrl: 'https://sqs.test/messages' });
    sqs.on(SendMessageCommand).resolves({});
    sqs.on(DeleteMessageCommand).resolves({});
  });
  /** All of them at the first question, as AWS may, and then no more. */
  const shownOnce = (letters = [letter('aaaa1111', '{"runJob":"nightly"}'), letter('bbbb2222', '******')]): void => {
    let left = letters;
    sqs.on(ReceiveMessageCommand).callsFake(() => {
      const Messages = left;
      left = [];
      return Promise.resolve({ Messages });
    });
  };

  it('are listed with their reason, and shown with what was asked for', async () => {
    shownOnce();
    const { out } = await run('dead-letters', 'list');
    expect(out).toMatch(
      /^LETTER +SENT +REASON +FIELD +MESSAGE\naaaa1111 +1970-\S+ +UnknownJob +runJob +there is no stored job\n/,
    );
    shownOnce();
    expect((await run('dead-letters', 'show', 'aa')).out).toContain('\n{"runJob":"nightly"}\n');
    shownOnce();
    expect((await run('dead-letters', 'show', 'zz')).err).toMatch(/there is no dead letter 'zz'/);
  });

  it('go back to the queue that they came from, and are taken away then', async () => {
    shownOnce();
    const { code, out } = await run('dead-letters', 'redrive', 'aaaa');
    expect([code, out]).toEqual([0, `aaaa1111 → ${QUEUE}\n`]);
    expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toMatchObject({
      QueueUrl: 'https://sqs.test/messages',
      MessageBody: '{"runJob":"nightly"}',
    });
    expect(sqs.commandCalls(DeleteMessageCommand)[0]?.args[0].input).toMatchObject({ ReceiptHandle: 'of aaaa1111' });
  });

  it('that cannot be sent as they were stay, and say why', async () => {
    shownOnce([
      letter('bbbb2222', '{"password":"******"}'),
      letter('cccc3333', '{}', { source: 'schedule' }),
      letter('dddd4444', '{', { truncated: 'true' }),
    ]);
    const { code, err } = await run('dead-letters', 'redrive', '--all');
    expect(code).toBe(1);
    for (const why of [/bbbb2222 had a secret/, /cccc3333 came from schedule/, /dddd4444 is not whole/])
      expect(err).toMatch(why);
    expect(sqs.commandCalls(SendMessageCommand)).toEqual([]);
    expect(sqs.commandCalls(DeleteMessageCommand)).toEqual([]);
  });

  it('stay where they are when they cannot be sent', async () => {
    shownOnce();
    sqs
      .on(SendMessageCommand)
      .rejects(Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }));
    const { code, err } = await run('dead-letters', 'redrive', 'aaaa');
    expect([code, err]).toEqual([1, expect.stringMatching(/PermissionDenied: .*sqs:SendMessage/)]);
    expect(sqs.commandCalls(DeleteMessageCommand)).toEqual([]);
  });

  it('are redriven by name or all, and nothing else', async () => {
    expect((await run('dead-letters', 'redrive')).err).toMatch(/redrive <letter>…, or --all/);
    expect((await run('dead-letters', 'redrive', 'a', '--all')).code).toBe(2);
  });
});

describe('schedules', () => {
  const nightly = {
    ...{ Name: 'nightly', GroupName: 'prod', Arn: 'arn:nightly', CreationDate: new Date(0) },
    ...{ ScheduleExpression: 'cron(0 5 * * ? *)', ScheduleExpressionTimezone: 'Europe/Berlin' },
    ...{ State: 'ENABLED' as const, FlexibleTimeWindow: { Mode: 'OFF' as const } },
    Target: { Arn: 'arn:function', RoleArn: 'arn:role', Input: '{"job":"nightly"}' },
  };
  beforeEach(() => {
    scheduler.reset();
    scheduler.on(CreateScheduleCommand).resolves({ ScheduleArn: 'arn:nightly' });
    scheduler.on(UpdateScheduleCommand).resolves({ ScheduleArn: 'arn:nightly' });
    scheduler.on(ListSchedulesCommand).resolves({ Schedules: [{ Name: 'nightly' }] });
    scheduler.on(GetScheduleCommand).resolves(nightly);
    scheduler.on(DeleteScheduleCommand).resolves({});
  });

  it('are made so that each firing says its own time', async () => {
    const when = ['--cron', '0 5 * * ? *', '--zone', 'Europe/Berlin', '--jitter', '5'];
    expect(await run('schedules', 'create', 'nightly', '--job', 'nightly', ...when)).toMatchObject({
      code: 0,
      out: 'arn:nightly\n',
    });
    const { Target, ...input } = scheduler.commandCalls(CreateScheduleCommand)[0]?.args[0].input ?? {};
    expect(input).toMatchObject({
      ...{ Name: 'nightly', GroupName: 'prod', ScheduleExpression: 'cron(0 5 * * ? *)', State: 'ENABLED' },
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 },
    });
    expect(Target).toMatchObject({ Arn: 'arn:function', RoleArn: 'arn:role', DeadLetterConfig: { Arn: 'arn:failed' } });
    expect(JSON.parse(Target?.Input ?? '')).toEqual({
      job: 'nightly',
      scheduledTime: '<aws.scheduler.scheduled-time>',
      schedule: '<aws.scheduler.schedule-arn>',
      timeZone: 'Europe/Berlin',
    });
  });

  it('say what becomes of firings that come late, or beside one another, and when a rate begins', async () => {
    const flags = ['--rate', '15 minutes', '--overlap', 'forbid', '--starting-deadline', '10m'];
    expect((await run('schedules', 'create', 'often', '--job', 'nightly', ...flags)).code).toBe(0);
    const { Target, StartDate } = scheduler.commandCalls(CreateScheduleCommand)[0]?.args[0].input ?? {};
    expect(JSON.parse(Target?.Input ?? '')).toMatchObject({
      spec: { concurrency: { policy: 'forbid' } },
      startingDeadline: '10m',
    });
    expect(StartDate).toEqual(new Date('1970-01-01T00:17:00Z'));
  });

  it('show when they fire next, in their own time', async () => {
    const { out } = await run('schedules', 'next', 'nightly', '--count', '2');
    expect(out).toBe('1970-01-01T05:00:00+01:00\n1970-01-02T05:00:00+01:00\n');
    scheduler.on(GetScheduleCommand).resolves({ ...nightly, State: 'DISABLED' });
    expect((await run('schedules', 'next', 'nightly', '--json')).err).toContain('nightly is suspended');
  });

  it('are backfilled for days that were, and no others', async () => {
    const morning = { ScheduleExpression: 'cron(0/30 5 * * ? *)', ScheduleExpressionTimezone: 'Asia/Tokyo' };
    scheduler.on(GetScheduleCommand).resolves({ ...nightly, ...morning });
    const backfill = (...flags: string[]) => run('backfill', 'nightly', ...flags, '--dry-run');
    const { out } = await backfill('--from', '1970-01-01', '--to', '1970-01-03');
    expect(out).toMatch(/^1969-12-31T20:00:00Z {2}[0-9a-f]{20}\n1969-12-31T20:30:00Z {2}[0-9a-f]{20}\n$/);
    // The same firing has the same id, whatever range it is asked for in.
    const later = await backfill('--from', '1969-12-31T20:10Z', '--to', '1980-01-01');
    expect(later.out).toBe(out.slice(out.indexOf('\n') + 1));
    const wrong = [
      ['--from', '1970-01-01'],
      ['--from', 'then', '--to', '1970-01-01'],
      ['--from', '1971-01-01', '--to', '1971-01-02'],
    ];
    for (const flags of wrong) expect((await backfill(...flags)).code).toBe(2);
  });

  it('are listed, suspended with all that they were, resumed and deleted', async () => {
    expect((await run('schedules', 'list')).out).toMatch(
      /nightly +cron\(0 5 \* \* \? \*\) +Europe\/Berlin +active +nightly\n$/,
    );
    expect((await run('schedules', 'suspend', 'nightly')).out).toBe('nightly is suspended\n');
    const [update] = scheduler.commandCalls(UpdateScheduleCommand);
    const kept = omit(nightly, 'Arn', 'CreationDate');
    expect(update?.args[0].input).toEqual({ ...kept, State: 'DISABLED' });
    expect((await run('schedules', 'resume', 'nightly')).out).toBe('nightly is resumed\n');
    expect(scheduler.commandCalls(UpdateScheduleCommand)).toHaveLength(1);
    const gone = Object.assign(new Error('gone'), { name: 'ResourceNotFoundException' });
    scheduler.on(DeleteScheduleCommand).rejects(gone);
    expect((await run('schedules', 'delete', 'nightly')).code).toBe(0);
    scheduler.on(GetScheduleCommand).rejects(gone);
    expect((await run('schedules', 'suspend', 'nightly')).err).toMatch(
      /there is no schedule 'nightly' in the group prod/,
    );
  });

  const SPEC = join(folder, 'job.yaml');
  writeFileSync(SPEC, 'name: x\njobb: {}\n');
  it.each([
    [['a b', '--job', 'x', '--rate', '1 hour'], /'a b' can be no schedule's name/],
    [['x'], /what is to run\?/],
    [['x', '--job', 'x'], /when\? Give --cron/],
    [['x', '--job', 'x', '--rate', '5 parsecs'], /--rate '5 parsecs': must be a number and minutes/],
    [
      ['x', '--job', 'x', '--cron', '0 5 * * *'],
      /minutes, hours, day, month, weekday and year; that of cron\(8\) would be '0 5 \* \* \* \*'/,
    ],
    [['x', '--job', 'x', '--cron', '0 5 * * * *'], /one of day and weekday, and no more, must be \?/],
    [['x', '--job', 'x', '--rate', '1 hour', '--zone', 'Mars'], /--zone 'Mars': must be a time zone's name/],
    [
      ['x', '--job', 'x', '--rate', '1 hour', '--jitter', '9999'],
      /--jitter '9999': must be a number of minutes, at most 1440/,
    ],
    [['x', '-f', SPEC, '--rate', '1 hour'], /jobb/],
    [['x', '--job', 'x', '--cron', '0 25 * * ? *'], /'25' is no hours: numbers from 0 to 23/],
    [['x', '--job', 'x', '--rate', '1 hour', '--overlap', 'skip'], /must be one of queue, forbid, replace, allow/],
    [['x', '--job', 'x', '--rate', '1 hour', '--starting-deadline', 'soon'], /must be a duration such as 30m/],
  ])('refuses %j before anything is made', async (flags, message) => {
    const { code, err } = await run('schedules', 'create', ...flags);
    expect([code > 0, err]).toEqual([true, expect.stringMatching(message)]);
    expect(scheduler.commandCalls(CreateScheduleCommand)).toEqual([]);
  });
});
