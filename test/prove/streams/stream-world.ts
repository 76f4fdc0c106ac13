import type { V1ConfigMap } from '@kubernetes/client-node';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import type { ApplicationJob, StatePlan } from '../../../lib/job/job.ts';
import { isEnded } from '../../../lib/run/machine.ts';
import type { Outcome, QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import { FUNCTIONS } from '../functions.ts';
import type { Program } from '../servers/flink.ts';
import { Invocation } from '../simulation.ts';
import type { World } from '../world.ts';
import { StreamJob } from './stream-job.ts';
import { streamOf, StreamTruth } from './stream-truth.ts';

const CHECKPOINTS = 's3://state/chk';
const SAVEPOINTS = 's3://state/sp';
const LOOKS_EVERY = 1_000;

/**
 * One stream of a world, upgraded a few times by somebody who does what a deployment does: its next run begins from what the
 * last one left, when that is closed.
 */
export class StreamWorld {
  readonly truth: StreamTruth;
  private readonly world: World;
  private readonly generations: number;
  private generation = 1;
  private asked = 0;
  private acting = false;
  private askedAt = -Infinity;
  private over = false;

  constructor(world: World) {
    this.world = world;
    const { sim, s3, invariants } = world;
    this.truth = new StreamTruth(sim, s3, (...it) => invariants.check(...it));
    this.generations = world.workload.hasStream === true ? sim.draws.whole('generations', 2, 4) : 0;
    this.over = this.generations === 0;
    world.flink.streamOf = (clusterId, { pod }) => this.jobOf(clusterId, pod);
    if (!this.over) this.tick();
  }

  /** Nobody wants anything of it any more. */
  get isOver(): boolean {
    return this.over;
  }

  /** How its program goes; absent: it is no stream. */
  programOf(name: string, attempt: number): Program | undefined {
    if (!/^s\d-g\d+$/.test(name)) return undefined;
    const { draws } = this.world.sim;
    const it = `${name} attempt ${attempt}`;
    const restAfter = draws.between(`${it} rest`, 300, 3_000);
    const runsAfter = restAfter + draws.between(`${it} runs`, 100, 2_000);
    const ends = draws.of(`${it} ends`);
    const endsAfter = runsAfter + draws.between(`${it} lasts`, 2_000, 40_000);
    const older = draws.chance(`${streamOf(name)} older`, 0.4);
    return {
      ...{ restAfter, runsAfter, end: ends < 0.05 ? 'FINISHED' : 'FAILED', older },
      ...(ends < 0.15 ? { endsAfter } : {}),
      ...(draws.chance(`${it} deaf`, 0.05) ? { deafToCancel: true } : {}),
    };
  }

  /** What must hold of each write of a record. */
  onRecord(record: RunRecord): void {
    const { outcome, state, job } = record;
    if (job?.state === undefined || state !== 'closed' || outcome === undefined) return;
    this.checkKnown(record, outcome);
    this.checkStop(record, outcome);
    this.checkFiles(record);
  }

  private checkKnown(record: RunRecord, outcome: Outcome): void {
    const newest = this.truth.newest(record.name);
    const from = leftBy(record) ?? record.attempts.at(-1)?.restoredFrom ?? record.startFrom;
    const isKnown =
      record.stateUnknown !== undefined || isFinished(outcome) || newest === undefined || from?.path === newest.path;
    this.checkClosed('a closed run has the newest state on record', isKnown, record);
  }

  private checkStop(record: RunRecord, outcome: Outcome): void {
    const { truth } = this;
    const left = leftBy(record);
    const isStopped = outcome.reason === 'StoppedWithSavepoint';
    if (isStopped) {
      const isThere = left?.kind === 'savepoint' && truth.isThere(left.path);
      this.checkClosed('a stop has its savepoint', isThere, record);
    }
    const newest = truth.newest(record.name);
    const hasSavepoint = newest?.isSavepoint === true && newest.path === left?.path;
    if (record.stopRequested?.mode !== 'savepoint' || !hasSavepoint || isFinished(outcome)) return;
    this.checkClosed('a stop that has its savepoint says so', isStopped || outcome.rule === 'no-look', record);
  }

  private checkClosed(what: string, holds: boolean, record: RunRecord): void {
    this.world.invariants.check(what, holds, () => {
      const left = leftBy(record)?.path ?? 'nothing';
      const newest = this.truth.newest(record.name)?.path ?? 'none';
      return `${record.name}: ${record.outcome?.reason ?? ''}, left ${left}, newest ${newest}`;
    });
  }

  /** Every savepoint that was asked for is on record, or removed. */
  private checkFiles(record: RunRecord): void {
    const known = record.attempts.flatMap(({ snapshot, restoredFrom }) => [snapshot?.path, restoredFrom?.path]);
    const own = this.truth.savepoints().filter((path) => path.includes(`/${record.runId}-`));
    const unknown = own.filter((path) => !known.includes(path));
    const excused = this.world.sim.faults.struck.some(
      ({ at }) => at.includes('state') || at.includes('s3 list sp') || at.includes('s3 delete all'),
    );
    this.world.invariants.check('no savepoint is left that nobody knows of', unknown.length === 0 || excused, () =>
      unknown.join(', '),
    );
  }

  private jobOf(clusterId: string, pod: string): StreamJob | undefined {
    const [, name = ''] = /^(.*)-[0-9a-f]{10}-\d+$/.exec(clusterId) ?? [];
    if (!/^s\d-g\d+$/.test(name)) return undefined;
    const map = this.world.kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as V1ConfigMap | undefined;
    const text = Object.values(map?.data ?? {}).join('\n');
    const restoredFrom = /s3:\/\/state\/[^\s'"]*(?:savepoint-|chk-)\d+/.exec(text)?.[0];
    return new StreamJob(this.truth, {
      ...{ name, question: `${clusterId} ${pod}`, restoredFrom, checkpoints: CHECKPOINTS },
      recovers: text.includes('kubernetes') && /high-availability[\s\S]{0,40}kubernetes/.test(text),
    });
  }

  private tick(): void {
    this.world.sim.after(LOOKS_EVERY, () => {
      if (this.over) return;
      this.act();
      this.tick();
    });
  }

  private act(): void {
    const name = `s1-g${this.generation}`;
    const run = this.world.invariants.recordNamed(name);
    if (this.acting) return;
    if (run === undefined) return this.create(name);
    if (run.state === 'closed') return this.succeed(run);
    if (isEnded(run.state)) return;
    const { sim } = this.world;
    const since = run.attempts.at(-1)?.runningAt;
    const wait = sim.draws.between(`${name} runs for`, 1_000, 30_000);
    if (since === undefined ? sim.now - run.createdAt < 120_000 : sim.now - since < wait) return;
    // Whoever asked may have died over it, or the savepoint could not be had.
    if (run.stopRequested !== undefined || run.cancelRequested !== undefined || sim.now - this.askedAt < 5_000) return;
    this.stop(run);
  }

  private succeed(run: RunRecord): void {
    const isBlocked = run.stateUnknown !== undefined;
    const isFinished = run.outcome?.reason === 'JobFinished';
    if (isBlocked || isFinished || this.generation >= this.generations) {
      this.over = true;
      return;
    }
    this.generation += 1;
    this.asked = 0;
  }

  private stop(run: RunRecord): void {
    const { sim } = this.world;
    this.asked += 1;
    this.askedAt = sim.now;
    const question = `${run.name} stop ${this.asked}`;
    const isLast = this.asked > 2 || sim.draws.chance(`${question} last state`, 0.35);
    const fallback = sim.draws.pick(`${question} fallback`, ['none', 'last-state'] as const);
    const asked = { by: 'deployment', reason: 'ReplacedByNewerRun' } as const;
    this.call(question, (invocation) =>
      FUNCTIONS.requestStop(
        this.world,
        run.runId,
        isLast ? { ...asked, mode: 'last-state' } : { ...asked, mode: 'savepoint', fallback, deadline: 45_000 },
        invocation,
      ),
    );
  }

  private create(name: string): void {
    const before = this.world.invariants.recordNamed(`s1-g${this.generation - 1}`);
    const last = before?.attempts.at(-1);
    const startFrom = last?.snapshot ?? last?.restoredFrom ?? before?.startFrom;
    this.call(`${name} created`, (invocation) =>
      FUNCTIONS.createRun(this.world, this.recordOf(name, startFrom), invocation),
    );
  }

  private call(label: string, work: (invocation: Invocation) => Promise<unknown>): void {
    const { sim } = this.world;
    const invocation = new Invocation(`${label} at ${Math.round(sim.elapsed)}`);
    this.acting = true;
    const done = (): void => void (this.acting = false);
    sim.after(30_000, () => {
      sim.kill(invocation, 'has no more time');
      done();
    });
    work(invocation).then(done, done);
  }

  private recordOf(name: string, startFrom: Snapshot | undefined): QueuedRun {
    const { sim } = this.world;
    const now = Math.round(sim.now);
    const id = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: streamOf(name) });
    return {
      ...{ version: 1, runId: runIdFor(name), fingerprint: name, name, createdAt: now, updatedAt: now },
      source: {
        kind: 'schedule',
        schedule: 'arn:aws:scheduler:eu-central-1:111122223333:schedule/s/s',
        scheduledTime: now,
      },
      ...{ state: 'accepted', events: [], attempts: [], step: { number: 0, dueAt: now }, job: this.jobNamed(name) },
      deployment: { id, generation: this.generation },
      ...(startFrom && { startFrom }),
    };
  }

  private jobNamed(name: string): ApplicationJob {
    const { draws } = this.world.sim;
    const isSafe = draws.chance('stream has high availability', 0.3);
    const safe = { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' };
    const state: StatePlan = {
      ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'CANONICAL', savepointDeadline: 60_000 },
      ...{ savepointDirectory: SAVEPOINTS, checkpointDirectory: CHECKPOINTS, history: { count: 5, age: 1e9 } },
    };
    return {
      ...{ name, target: 'default', namespace: 'flink', flinkVersion: '2.3', mode: 'application', kind: 'streaming' },
      options: {
        ...{ 'kubernetes.container.image.ref': 'flink:2.3.0', 'kubernetes.service-account': 'flink' },
        ...(isSafe ? safe : {}),
      },
      ...{ podTemplates: {}, jar: { uri: 'local:///opt/job.jar' }, entryClass: 'a.B', args: [], state },
      deadlines: { start: 180_000 },
      retry: { attempts: draws.whole('stream attempts', 1, 3), backoff: 1_000 },
      concurrency: { key: `deployment ${streamOf(name)}`, policy: 'queue' },
      ...{ afterEnd: { keepCluster: 'never', ttl: 0 }, notify: [] },
    };
  }
}

function leftBy({ attempts }: RunRecord): Snapshot | undefined {
  return attempts.at(-1)?.snapshot;
}

/** By itself, and not because it was stopped. */
function isFinished({ flinkState, reason }: Outcome): boolean {
  return flinkState === 'FINISHED' && reason !== 'StoppedWithSavepoint';
}
