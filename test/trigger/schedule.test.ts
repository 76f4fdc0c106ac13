import { describe, expect, it } from 'vitest';
import { parseScheduleEvent } from '../../lib/trigger/schedule.ts';
import { eventFixture } from './fixture.ts';

const input = eventFixture('schedule') as Record<string, unknown>;

describe('parseScheduleEvent', () => {
  it('identifies a firing by schedule and scheduled time', () => {
    const request = parseScheduleEvent(input);
    expect(request).toEqual({
      source: {
        kind: 'schedule',
        schedule: input['schedule'],
        scheduledTime: Date.parse('2026-11-21T04:00:00Z'),
        timeZone: 'Europe/Berlin',
      },
      identity: JSON.stringify(['schedule', input['schedule'], '2026-11-21T04:00:00.000Z']),
      job: 'nightly',
    });
    const again = parseScheduleEvent({
      ...input,
      scheduledTime: '2026-11-21T05:00:00+01:00',
      executionId: 'another',
      attemptNumber: '2',
    });
    expect(again.identity).toBe(request.identity);
  });

  it.each([
    [{ ...input, scheduledTime: '<aws.scheduler.scheduled-time>' }, 'MalformedRequest', 'scheduledTime'],
    [{ ...input, schedule: undefined }, 'InvalidSpec', 'schedule'],
    [{ ...input, timezone: 'UTC' }, 'InvalidSpec', 'timezone'],
    [{ ...input, job: undefined }, 'InvalidSpec', undefined],
    ['text', 'MalformedRequest', undefined],
  ])('refuses %j', (event, reason, field) => {
    expect(() => parseScheduleEvent(event)).toThrow(expect.objectContaining({ reason, field }) as Error);
  });
});
