import { describe, expect, it } from 'vitest';
import { parseScheduleEvent } from '../../lib/trigger/schedule.ts';
import type { RunRequest } from '../../lib/trigger/request.ts';
import { eventFixture } from './fixture.ts';

const input = eventFixture('schedule') as Record<string, unknown>;

const NOW = Date.parse('2026-11-21T04:00:01Z');
const parse = (event: unknown, calledBy?: string): RunRequest =>
  parseScheduleEvent(event, { now: NOW, ...(calledBy === undefined ? {} : { calledBy }) });

describe('parseScheduleEvent', () => {
  it('identifies a firing by schedule and scheduled time', () => {
    const request = parse(input);
    expect(request).toEqual({
      source: {
        kind: 'schedule',
        schedule: input['schedule'],
        scheduledTime: Date.parse('2026-11-21T04:00:00Z'),
        timeZone: 'Europe/Berlin',
      },
      identity: expect.stringMatching(/^\["schedule","arn:.*","2026-11-21T04:00:00.000Z","[0-9a-f]{64}"\]$/) as string,
      job: 'nightly',
    });
    const again = parse({
      ...input,
      scheduledTime: '2026-11-21T05:00:00+01:00',
      executionId: 'another',
      attemptNumber: '2',
    });
    expect(again.identity).toBe(request.identity);
    expect(parse({ ...input, job: undefined, runJob: 'nightly' }).identity).toBe(parse(input).identity);
  });

  it.each([
    [{ ...input, scheduledTime: '<aws.scheduler.scheduled-time>' }, 'MalformedRequest', 'scheduledTime'],
    [{ ...input, schedule: undefined }, 'InvalidSpec', 'schedule'],
    [{ ...input, timezone: 'UTC' }, 'InvalidSpec', 'timezone'],
    [{ ...input, job: undefined }, 'InvalidSpec', undefined],
    ['text', 'MalformedRequest', undefined],
  ])('refuses %j', (event, reason, field) => {
    expect(() => parse(event)).toThrow(expect.objectContaining({ reason, field }) as Error);
  });

  it('is not the firing of another payload, whoever names the schedule', () => {
    const poison = parse({ ...input, job: undefined, spec: { name: 'evil' } });
    expect(poison.identity).not.toBe(parse(input).identity);
    expect(parse({ ...input, timeZone: 'UTC' }).identity).not.toBe(parse(input).identity);
  });

  it('refuses what is not due yet: the true firing would be a repetition', () => {
    expect(parse({ ...input, scheduledTime: '2026-11-21T04:04:00Z' }).job).toBe('nightly');
    expect(() => parse({ ...input, scheduledTime: '2026-11-21T04:06:00Z' })).toThrow('scheduledTime is not yet');
  });

  it('has the group by whose alias it calls, and no other', () => {
    const schedule = 'arn:aws:scheduler:eu-central-1:111122223333:schedule/payments/nightly';
    expect(parse({ ...input, schedule }, 'payments').source).toMatchObject({ calledBy: 'payments' });
    const own = schedule.replace('payments', 'orders');
    expect(parse({ ...input, schedule: own }, 'orders').source).toMatchObject({ schedule: own });
    const around = [`x ${own}`, `${own}/more`];
    for (const other of [
      schedule,
      'payments',
      'arn:aws:scheduler:r:1:schedule/payments/',
      'x:schedule/orders/n',
      ...around,
    ])
      expect(() => parse({ ...input, schedule: other }, 'orders')).toThrow(
        expect.objectContaining({ reason: 'MalformedRequest', field: 'schedule' }) as Error,
      );
  });
});
