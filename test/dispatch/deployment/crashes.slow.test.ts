import { describe, expect, it } from 'vitest';
import { SINGLE_FAULTS } from '../scripted/effects.ts';
import { stream, StreamWorld, type StreamOptions } from './stream-world.ts';

const MINUTE = 60_000;

/** Created, upgraded twice at once, suspended and resumed. */
async function live(
  { upgradeMode, prepareUpgrade }: { readonly upgradeMode: string; readonly prepareUpgrade: boolean },
  options: StreamOptions,
): Promise<StreamWorld> {
  const world = new StreamWorld(options);
  const job = (text: string, more = {}) =>
    stream({}, { upgradeMode, prepareUpgrade, args: [text], savepointTriggerNonce: 1, ...more });
  await world.request(job('one'));
  await world.pass(4 * MINUTE);
  await world.request(job('two'));
  await world.request(job('three'));
  await world.pass(5 * MINUTE);
  await world.request(job('three', { state: 'suspended' }));
  await world.pass(5 * MINUTE);
  await world.request(job('three', { savepointTriggerNonce: 2 }));
  await world.pass(6 * MINUTE);
  return world;
}

function expectWell(world: StreamWorld): void {
  expect(world.violations).toEqual([]);
  expect(world.deployment).toMatchObject({ state: 'running', wanted: 5, reached: 5 });
  expect(world.runs.at(-1)).toMatchObject({ state: 'running', job: { args: ['three'] } });
  // Each run goes on from the newest state that there was.
  for (const { from, count, newest } of world.started.slice(1)) {
    expect(from).toBeDefined();
    expect(count).toBe(newest);
  }
  const ids = world.parts.publisher.ofDeployments.map(({ event }) => event.id);
  const first = ids.filter((id, n) => ids.indexOf(id) === n);
  expect(first).toEqual(first.map((_, n) => `${world.deployment.id}.${n + 1}`));
  expect(world.deployment.events.every(({ publishedAt }) => publishedAt !== undefined)).toBe(true);
  expect(world.told.filter((event) => event.startsWith('suspended'))).toEqual(['suspended 4']);
}

/** A crash at every effect; errors, which are milder, at every third. Messages are lost with every other crash. */
describe('a stream that is created, changed, suspended and resumed', () => {
  const ways = SINGLE_FAULTS.map((fault, n) => ({ ...fault, upgradeMode: n % 2 === 0 ? 'savepoint' : 'last-state' }));
  it.each([false, true].flatMap((prepareUpgrade) => ways.map((way) => ({ ...way, prepareUpgrade }))))(
    'survives the $kind $when any one effect, by $upgradeMode, prepared: $prepareUpgrade',
    async ({ upgradeMode, prepareUpgrade, ...fault }) => {
      const plan = { upgradeMode, prepareUpgrade };
      const whole = await live(plan, {});
      expectWell(whole);
      expect(whole.told.includes('preparing 3')).toBe(prepareUpgrade);
      const { names } = whole.effects;
      expect(names.length).toBeGreaterThan(50);
      for (const [at, name] of names.entries()) {
        if (fault.kind === 'error' && at % 3 !== 0) continue;
        const losesMessages = fault.kind === 'crash' && at % 2 === 0;
        try {
          expectWell(await live(plan, { fault: { ...fault, at }, losesMessages }));
        } catch (cause) {
          const where = `${fault.kind} ${fault.when} ${at}: ${name}, message lost: ${losesMessages}`;
          throw new Error(`${where}: ${String(cause)}`, { cause });
        }
      }
    },
  );
});
