import { beforeEach, describe, expect, it } from 'vitest';
import { omit } from '../../../lib/core/omit.ts';
import { joinCallback } from '../../../lib/dispatch/callbacks/join-callback.ts';
import { giveUpCallbacks, tellCallbacks } from '../../../lib/dispatch/callbacks/tell-callbacks.ts';
import type { Heard } from '../../../lib/outcome/task-callbacks.ts';
import { callbackOf, openCallbacks } from '../../../lib/run/callbacks.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { logLine } from '../../fakes/log-line.ts';
import { launchedSample, sampleRecord } from '../../fixtures/records/load.ts';
import { jobMessage, World } from '../world/simulated.ts';

const TOKEN = 'a token';
const { id } = callbackOf(TOKEN);
const MINUTE = 60_000;

let told: string[];
let logged: string[];
let ledger: FakeLedger;
let deadLetters: FakeDeadLetters;
let answer: () => Promise<Heard>;
let now: number;

const tell = (what: string) => (token: string) => {
  told.push(`${token} ${what}`);
  return answer();
};
const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
  logged.push(`${level} ${logLine(message, fields)}`);
};

function deps() {
  const { accept } = new World();
  return {
    ledger,
    deadLetters,
    callbacks: { complete: tell('complete'), heartbeat: tell('heartbeat') },
    clock: { now: () => now, sleep: () => Promise.resolve() },
    eventContext: { source: '/test', ledgerBucket: 'ledger' },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    prepare: { ...accept.prepare, deployment: { ...accept.prepare.deployment, allow: ALLOW } },
  };
}
const ALLOW = { ...new World().accept.prepare.deployment.allow, taskTokens: true };

const ended = (changes: Partial<RunRecord> = {}): RunRecord =>
  sampleRecord({ callbacks: [callbackOf(TOKEN)], ...changes } as Partial<ReturnType<typeof sampleRecord>>);
function live(): RunRecord {
  const run = omit(launchedSample(), 'outcome');
  const events = run.events.filter(({ type }) => type !== 'completed');
  return { ...run, state: 'running', events, callbacks: [callbackOf(TOKEN)] };
}

beforeEach(() => {
  told = [];
  logged = [];
  ledger = new FakeLedger();
  deadLetters = new FakeDeadLetters();
  answer = () => Promise.resolve('heard');
  now = sampleRecord().createdAt + 5 * MINUTE;
});

describe('tasks that wait for a run', () => {
  it('are told of its end, once', async () => {
    const next = await tellCallbacks(ended(), deps());
    expect(told).toEqual(['a token complete']);
    expect(next.callbacks).toEqual([{ id, settledAt: now }]);
    expect(logged).toEqual([`info a task was answered {"runId":"${next.runId}","callback":"${id}"}`]);
    expect(await tellCallbacks(next, deps())).toBe(next);
    expect(told).toHaveLength(1);
  });

  it('are told now and then that it goes on', async () => {
    const next = await tellCallbacks(live(), deps());
    expect(told).toEqual(['a token heartbeat']);
    expect(next.callbacks).toEqual([{ id, taskToken: TOKEN, heartbeatAt: now }]);
    expect(logged).toEqual([]);
    now += 29_999;
    expect(await tellCallbacks(next, deps())).toBe(next);
    now += 1;
    await tellCallbacks(next, deps());
    expect(told).toHaveLength(2);
  });

  it.each([
    ['goes on', live],
    ['has ended', ended],
  ])('are forgotten when they wait no longer, of a run that %s', async (_, run) => {
    answer = () => Promise.resolve('gone');
    const next = await tellCallbacks(run(), deps());
    expect(next.callbacks).toEqual([{ id, settledAt: now }]);
    expect(logged).toEqual([`info a task waits no longer {"runId":"${next.runId}","callback":"${id}"}`]);
  });

  it('are told again at the next step when they cannot be told', async () => {
    answer = () => Promise.reject(new Error('no answer'));
    const next = await tellCallbacks(ended(), deps());
    expect(openCallbacks(next)).toHaveLength(1);
    expect(logged).toEqual([
      `warn a task was not told {"runId":"${next.runId}","callback":"${id}","error":"no answer"}`,
    ]);
  });

  it('are given up with a dead letter, that has what they were to be told', async () => {
    const next = await giveUpCallbacks(ended(), deps());
    expect(next.callbacks).toEqual([{ id, settledAt: now }]);
    const [letter] = deadLetters.letters;
    expect(letter).toMatchObject({ reason: 'CallbackLost', source: `callback ${id} of run ${next.runId}` });
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ subject: next.runId, data: { state: 'failed' } });
    expect(logged).toEqual([`error a task was never told {"runId":"${next.runId}","callback":"${id}"}`]);
    expect(await giveUpCallbacks(next, deps())).toBe(next);
    expect(deadLetters.letters).toHaveLength(1);
  });

  it('are given up by the name of the run where nothing was told of its end', async () => {
    const { runId } = await giveUpCallbacks(ended({ events: [] }), deps());
    expect(JSON.parse(deadLetters.letters[0]?.body ?? '')).toEqual({ runId });
  });
});

describe('a further task of a request', () => {
  const join = (run: RunRecord, taskToken: string | undefined, changed: ReturnType<typeof deps> = deps()) =>
    joinCallback(run, { ...jobMessage({}), ...(taskToken === undefined ? {} : { taskToken }) }, changed);
  const stored = (run: RunRecord): RunRecord | undefined => {
    const { runId } = run;
    return ledger.records.find((one) => one.runId === runId);
  };

  it('is noted with a run that goes on, and told by it', async () => {
    await ledger.create(live());
    await join(live(), 'second');
    expect(stored(live())?.callbacks).toEqual([callbackOf(TOKEN), callbackOf('second')]);
    expect(told).toEqual([]);
  });

  it('is told at once where the run is closed, and nothing is written', async () => {
    await ledger.create(ended({ state: 'closed' }));
    const before = ledger.writes.length;
    await join(ended(), 'second');
    expect(told).toEqual(['second complete']);
    expect(ledger.writes).toHaveLength(before);
    await join(ended(), TOKEN);
    expect(told).toHaveLength(1);
  });

  it('comes again when it cannot be told', async () => {
    await ledger.create(ended({ state: 'closed' }));
    answer = () => Promise.reject(new Error('no answer'));
    const message = `a task that waits for run ${ended().runId} could not be told of its end`;
    await expect(join(ended(), 'second')).rejects.toMatchObject({ reason: 'StorageUnavailable', message });
  });

  it('comes again when others change the record each time', async () => {
    await expect(join(live(), 'second')).rejects.toMatchObject({
      reason: 'StorageUnavailable',
      message: `run ${live().runId} was changed by others each time`,
    });
  });

  it('is none without a token, or where the deployment does not allow it', async () => {
    await join(live(), undefined);
    const { prepare, ...rest } = deps();
    const allow = omit(ALLOW, 'taskTokens');
    const forbids = { ...rest, prepare: { ...prepare, deployment: { ...prepare.deployment, allow } } };
    await join(live(), 'second', forbids as ReturnType<typeof deps>);
    expect([told, ledger.writes]).toEqual([[], []]);
  });
});
