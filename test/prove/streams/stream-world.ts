import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import type { ApplicationJob, StatePlan } from '../../../lib/job/job.ts';
import { isEnded } from '../../../lib/run/machine.ts';
import type { QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import { FUNCTIONS } from '../functions.ts';
import type { Program } from '../servers/flink.ts';
import { Invocation } from '../simulation.ts';
import type { World } from '../world.ts';
import { howOf } from './stream-job.ts';
import { streamOf } from './stream-truth.ts';
import { streamProgram, type Conduct } from './streams.ts';

const CHECKPOINTS = 's3://state/chk';
const SAVEPOINTS = 's3://state/sp';
const LOOKS_EVERY = 1_000;

/**
 * One stream of a world, upgraded a few times by somebody who does what a deployment does: its next run begins from what the
 * last one left, when that is closed.
 */
export class StreamWorld {
  private readonly world: World;
  private readonly generations: number;
  private generation = 1;
  private asked = 0;
  private acting = false;
  private askedAt = -Infinity;
  private over = false;

  constructor(world: World) {
    this.world = world;
    const { sim } = world;
    this.generations = world.workload.hasStream === true ? sim.draws.whole('generations', 2, 4) : 0;
    this.over = this.generations === 0;
    if (!this.over) this.tick();
  }

  /** Nobody wants anything of it any more. */
  get isOver(): boolean {
    return this.over;
  }

  /** How its jobs go; absent: they are of no stream of this one's. */
  conductOf(clusterId: string): Conduct | undefined {
    const [, name = ''] = /^(.*)-[0-9a-f]{10}-\d+$/.exec(clusterId) ?? [];
    if (!/^s\d-g\d+$/.test(name)) return undefined;
    const { sim } = this.world;
    // Its jobs have no option for that.
    return { name, pace: [1_000, 6_000], howOf: howOf(sim), checkpoints: CHECKPOINTS };
  }

  /** How its program goes; absent: it is no stream. */
  programOf(name: string, attempt: number): Program | undefined {
    if (!/^s\d-g\d+$/.test(name)) return undefined;
    return streamProgram(this.world.sim.draws, `${name} attempt ${attempt}`, streamOf(name));
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
      ...{ probation: 60_000, rollback: 'automatic' },
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
