import { canonicalJson } from '../../../lib/core/json.ts';
import { isDispatchError } from '../../../lib/core/errors.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { SAVEPOINTS, stream, StreamWorld, type Fate } from '../../dispatch/deployment/stream-world.ts';
import { Draws } from '../draws.ts';
import { RandomEffects } from './random-effects.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export interface Played {
  /** Each names its invariant: I1 to I12. */
  readonly violations: readonly string[];
  readonly runs: number;
  readonly upgrades: number;
  readonly faults: number;
}

/** One stream in a world of its own: what is wanted, what becomes of its runs and what goes wrong is drawn from the seed. */
export async function playDeployment(seed: number): Promise<Played> {
  const draws = new Draws(seed);
  const effects = new RandomEffects(draws, draws.pick('rate', [0, 0.005, 0.02, 0.06]));
  const world = new StreamWorld({
    effects,
    losesMessages: draws.chance('loses messages', 0.5),
    fate: (run) => fateOf(draws, run),
  });
  const wishes = new Wishes(draws);
  await ask(world, wishes.next(0));
  const count = draws.whole('wishes', 2, 7);
  for (let number = 1; number <= count; number += 1) {
    await world.pass(Math.round(draws.pick(`pause ${number}`, [0, 300, 3 * SECOND, 40 * SECOND, 5 * MINUTE])));
    const burst = draws.chance(`burst ${number}`, 0.2) ? 10 : 1;
    for (let n = 0; n < burst; n += 1) {
      const request = wishes.next(number * 100 + n);
      await ask(world, request);
      if (draws.chance(`again ${number} ${n}`, 0.2)) await ask(world, request);
    }
    if (draws.chance(`loss ${number}`, 0.2)) world.loseMessages();
  }
  effects.over = true;
  await world.pass(90 * MINUTE);
  return {
    violations: violationsIn(world),
    runs: world.runs.length,
    upgrades: world.told.filter((it) => it.startsWith('upgraded')).length,
    faults: effects.count,
  };
}

/** As an event source: it comes again until somebody says yes. */
async function ask(world: StreamWorld, request: RunRequest): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      await world.request(request);
      return;
    } catch (error) {
      if (!(
        isDispatchError(error) ||
        (error instanceof Error && error.message.includes('(test)')) ||
        String(error).includes('never accepted')
      ))
        throw error;
    }
  }
}

function fateOf(draws: Draws, run: number): Fate {
  const is = (what: string, chance: number): boolean => draws.chance(`run ${run} ${what}`, chance);
  const after = draws.whole(`run ${run} after`, 5, 400) * SECOND;
  const how = is('finishes', 0.04)
    ? 'finished'
    : is('fails', 0.08)
      ? 'failed'
      : is('is lost', 0.04)
        ? 'lost'
        : undefined;
  return {
    refusesStop: is('refuses', 0.1),
    removal: draws.pick(`run ${run} removal`, [200, 2 * SECOND, 30 * SECOND, 15 * MINUTE]),
    ...(how === undefined ? {} : { ends: { after, how } }),
  };
}

/** What is wanted, one after the other: each is the last one with something changed. */
class Wishes {
  private readonly draws: Draws;
  private spec: Record<string, unknown> = {};
  private job: Record<string, unknown>;

  constructor(draws: Draws) {
    this.draws = draws;
    this.job = {
      upgradeMode: draws.pick('mode', ['savepoint', 'savepoint', 'last-state', 'stateless']),
      fallback: draws.pick('fallback', ['none', 'last-state']),
      savepointHistory: { count: draws.whole('history', 1, 4) },
      ...(draws.chance('periodic', 0.4) ? { savepointInterval: draws.pick('every', ['2m', '10m']) } : {}),
      ...(draws.chance('age', 0.3) ? { maxCheckpointAge: '5s' } : {}),
      savepointTriggerNonce: 0,
      args: ['0'],
    };
  }

  next(number: number): RunRequest {
    const what =
      number === 0
        ? 'first'
        : this.draws.pick(`wish ${number}`, ['job', 'job', 'job', 'suspend', 'resume', 'restart', 'savepoint', 'same']);
    if (what === 'job') this.job = { ...this.job, args: [String(number)], state: 'running' };
    if (what === 'suspend') this.job = { ...this.job, state: 'suspended' };
    if (what === 'resume') this.job = { ...this.job, state: 'running' };
    if (what === 'restart') this.spec = { ...this.spec, restartNonce: number };
    if (what === 'savepoint') this.job = { ...this.job, savepointTriggerNonce: number };
    return stream(this.spec, this.job);
  }
}

/** What does not hold once everything has come to rest, and what did not hold on the way. */
function violationsIn(world: StreamWorld): readonly string[] {
  const found = [...world.violations];
  const wrong: Wrong = (invariant, holds, detail = '') => {
    if (!holds) found.push(`${invariant}: ${detail}`);
  };
  judgeStarts(world, wrong);
  judgeSavepoints(world, wrong);
  judgeEvents(world, wrong);
  judgeEnd(world, wrong);
  judgeRest(world, wrong);
  return found;
}

type Wrong = (invariant: string, holds: boolean, detail?: string) => void;

function judgeStarts({ runs, started }: StreamWorld, wrong: Wrong): void {
  for (const { run, from, count, newest } of started) {
    const record = runs.find(({ runId }) => runId === run);
    const stateless = record?.job?.state?.upgradeMode === 'stateless';
    wrong('I2 a run restores what its record says', record?.startFrom?.path === from, run);
    wrong(
      'I3 a run starts from the newest state',
      stateless || from === undefined || count === newest,
      `${run}: ${count} of ${newest}`,
    );
    wrong('I4 no run starts empty silently', stateless || from !== undefined || newest === 0, run);
  }
}

function judgeSavepoints({ deployment: { id, snapshots, request }, state }: StreamWorld, wrong: Wrong): void {
  const known = new Set(snapshots.map(({ snapshot }) => snapshot.path));
  const own = [...state.complete.keys()].filter((path) => path.startsWith(`${SAVEPOINTS}/${id}/`));
  const unknown = own.filter((path) => !known.has(path));
  wrong('I5 every savepoint is known', unknown.length === 0 || request !== undefined, unknown.join(', '));
}

function judgeEvents({ deployment, parts }: StreamWorld, wrong: Wrong): void {
  const events = parts.publisher.ofDeployments.map(({ event }) => event);
  const ids = [...new Set(events.map(({ id }) => id))];
  wrong(
    'I7 events have an order without gaps',
    ids.every((id, n) => id === `${deployment.id}.${n + 1}`),
    ids.join(' '),
  );
  wrong('I7 an event is the same each time', new Set(events.map(canonicalJson)).size === ids.length);
  wrong(
    'I7 every event is published',
    deployment.events.every(({ publishedAt }) => publishedAt !== undefined),
  );
}

/** What is wanted has come true, or was answered. */
function judgeEnd({ deployment, runs }: StreamWorld, wrong: Wrong): void {
  const { state, wanted, reached, settled, generations } = deployment;
  const answered = reached === wanted || settled?.generation === wanted;
  wrong('I8 what is wanted is reached or answered', answered, `${state}: ${reached} of ${wanted}`);
  const rests = ['running', 'suspended', 'blocked', 'finished'];
  wrong('I8 nothing stands still on its way', rests.includes(state), state);
  const wantedOne = generations.find(({ number }) => number === wanted);
  wrong('I9 the newest is wanted', wantedOne?.superseded !== true && generations.at(-1)?.number === wanted);
  const asked = runs.filter((run) => run.stopRequested !== undefined || run.cancelRequested !== undefined);
  wrong('I12 no run is stopped without a cause', asked.length <= wanted, `${asked.length} of ${wanted}`);
}

function judgeRest({ deployment, runs, waiting }: StreamWorld, wrong: Wrong): void {
  if (deployment.state !== 'suspended') return;
  const open = runs.filter((run) => run.state !== 'closed');
  wrong('I11 suspended means gone', open.length === 0);
  wrong('I11 suspended needs no message', waiting.length === 0, JSON.stringify(waiting));
}
