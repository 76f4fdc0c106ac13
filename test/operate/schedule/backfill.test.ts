import { describe, expect, it } from 'vitest';
import { runIdFor, type RunId } from '../../../lib/core/ids.ts';
import { parseFilter } from '../../../lib/operate/filter.ts';
import { orderRun } from '../../../lib/operate/order-run.ts';
import { backfill, type BackfillDeps } from '../../../lib/operate/schedule/backfill.ts';
import { firings } from '../../../lib/job/calendar/firings.ts';
import { createS3RunList } from '../../../lib/run/store/s3-run-index.ts';
import { tickIdentity } from '../../../lib/trigger/schedule.ts';
import { Caller } from '../../dispatch/world/driven.ts';
import { FOREVER, HEALTHY, QUEUE_ARN, World } from '../../dispatch/world/simulated.ts';
import { FUNCTIONS, LEDGER } from '../../prove/functions.ts';

const SCHEDULE = 'arn:aws:scheduler:eu-central-1:111122223333:schedule/prod/nightly';
const ZONE = 'Europe/Berlin';
const SPEC = { name: 'nightly', job: { jarURI: 'local:///a.jar', entryClass: 'a.B', args: ['{{scheduledDate}}'] } };
/** Days on which clocks are set back. */
const TICKS = [
  ...firings(
    { expression: 'cron(30 2 * * ? *)', timeZone: ZONE },
    Date.parse('2026-10-22T00:00Z'),
    Date.parse('2026-10-28T00:00Z'),
  ),
];

const idOf = (scheduledTime: number): RunId =>
  runIdFor(tickIdentity({ schedule: SCHEDULE, scheduledTime, timeZone: ZONE }, { spec: SPEC }));

let messages = 0;

/** What a person's backfill has to do with; `stopAfter` requests it is killed, before or after the last one was sent. */
function depsOf(world: World, stopAfter = Infinity, sends = true): BackfillDeps {
  let sent = 0;
  return {
    idOf,
    read: async (runId) => (await world.dispatch.ledger.read(runId))?.value,
    async send(tick) {
      sent += 1;
      if (sent > stopAfter && !sends) throw new Error('killed');
      messages += 1;
      const at = { schedule: SCHEDULE, scheduledTime: new Date(tick).toISOString(), timeZone: ZONE };
      const body = JSON.stringify({ spec: SPEC, tick: at, tag: 'backfill-nightly' });
      const record = { messageId: `tick-${messages}`, body, eventSource: 'aws:sqs', eventSourceARN: QUEUE_ARN };
      await FUNCTIONS.onMessage(world, { Records: [record] } as never, new Caller('tick'));
      if (sent > stopAfter) throw new Error('killed');
    },
    clock: { now: () => world.clock.now(), sleep: (ms) => world.pass(ms) },
  };
}

function mostAtOnce(world: World): number {
  const times = world.records.flatMap(({ createdAt, outcome }) => [
    { at: createdAt, by: 1 },
    { at: outcome?.at ?? Infinity, by: -1 },
  ]);
  const sorted = times.sort((a, b) => a.at - b.at || a.by - b.by);
  return Math.max(...sorted.map((_, index) => sorted.slice(0, index + 1).reduce((sum, { by }) => sum + by, 0)));
}

describe('a backfill', () => {
  it('lets each tick be one run, at most so many at a time, with its own date', async () => {
    const world = new World();
    world.programs = [HEALTHY];
    const done = await backfill(TICKS, 2, depsOf(world));
    expect(done).toMatchObject({ asked: 6, there: 0 });
    await world.drain();
    expect(world.records.map(({ runId }) => runId)).toEqual(TICKS.map(idOf));
    expect(world.records.map(({ job }) => job?.args[0])).toEqual(
      ['22', '23', '24', '25', '26', '27'].map((day) => `2026-10-${day}`),
    );
    expect(mostAtOnce(world)).toBe(2);
    expect(world.invariants.violations).toEqual([]);
  });

  it.each([true, false])('that is killed and begun again runs no tick twice (was sent: %s)', async (sends) => {
    const ticks = TICKS.slice(2, 5);
    for (const stopAfter of [0, 2]) {
      const world = new World();
      await expect(backfill(ticks, 3, depsOf(world, stopAfter, sends))).rejects.toThrow('killed');
      const before = world.records.length;
      expect(before).toBe(stopAfter + (sends ? 1 : 0));
      expect(await backfill(ticks, 3, depsOf(world))).toMatchObject({ asked: ticks.length - before, there: before });
      expect(world.records.map(({ runId }) => runId).sort()).toEqual(ticks.map(idOf).sort());
    }
  });

  it('takes a firing that came for what it is', async () => {
    const world = new World();
    const [first = 0] = TICKS;
    const firing = { spec: SPEC, schedule: SCHEDULE, scheduledTime: new Date(first).toISOString(), timeZone: ZONE };
    await FUNCTIONS.onSchedule(world, { event: firing }, new Caller('scheduler'));
    expect(await backfill(TICKS, 9, depsOf(world))).toMatchObject({ asked: 5, there: 1 });
    await FUNCTIONS.onSchedule(world, { event: firing }, new Caller('scheduler'));
    expect(world.records).toHaveLength(6);
  });

  it('is listed and canceled by its tag', async () => {
    const world = new World();
    world.programs = [FOREVER];
    await backfill(TICKS, 9, depsOf(world));
    await world.pass(20_000);
    const list = createS3RunList({ s3: world.s3.client(new Caller('list')), bucket: LEDGER });
    const tagged = (tag: string) => list.rows(parseFilter({ tag, state: 'live' }, world.clock.now()));
    expect(await tagged('another')).toEqual([]);
    const rows = await tagged('backfill-nightly');
    expect(rows).toHaveLength(6);
    const who = { scope: { kind: 'all' }, by: 'a person', once: 'once' } as const;
    for (const { runId } of rows) await orderRun({ kind: 'cancel', runId }, who, world.dispatch);
    await world.drain();
    expect(world.records.every(({ outcome }) => outcome?.state === 'canceled')).toBe(true);
    expect(await tagged('backfill-nightly')).toEqual([]);
  });

  it('says so when a request becomes no run', async () => {
    const world = new World();
    const deps = { ...depsOf(world), send: () => Promise.resolve() };
    await expect(backfill(TICKS, 1, deps)).rejects.toMatchObject({ reason: 'RunNotFound' });
  });
});

describe('a firing that comes late', () => {
  const firing = (startingDeadline: string, scheduledTime = '2026-11-21T05:30:00Z') => ({
    event: { spec: SPEC, schedule: SCHEDULE, scheduledTime, timeZone: ZONE, startingDeadline },
  });

  it('is skipped, once, and says so', async () => {
    const world = new World();
    // The world begins at six.
    await FUNCTIONS.onSchedule(world, firing('29m'), new Caller('scheduler'));
    await FUNCTIONS.onSchedule(world, firing('29m'), new Caller('scheduler'));
    await world.drain();
    const [record] = world.records;
    expect(world.records).toHaveLength(1);
    expect(record).toMatchObject({
      state: 'closed',
      outcome: { state: 'skipped', reason: 'StartingDeadlineMissed' },
      attempts: [],
    });
    expect(record?.outcome?.message).toContain('came 1800 s late, and startingDeadline is 1740 s');
    expect(world.states(record?.runId ?? runIdFor(''))).toEqual(['skipped']);
    expect(world.deadLetters).toEqual([]);
  });

  it('runs while it is of use', async () => {
    const world = new World();
    await FUNCTIONS.onSchedule(world, firing('31m'), new Caller('scheduler'));
    expect(world.records).toMatchObject([{ state: 'accepted' }]);
  });

  it('with a deadline that is none is refused', async () => {
    const call = FUNCTIONS.onSchedule(new World(), firing('soon'), new Caller('scheduler'));
    await expect(call).rejects.toMatchObject({ reason: 'MalformedRequest', field: 'startingDeadline' });
  });
});
