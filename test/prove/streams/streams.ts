import type { RunId } from '../../../lib/core/ids.ts';
import { isHeld } from '../../../lib/run/prepared.ts';
import type { Outcome, RunRecord } from '../../../lib/run/record.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import type { Draws } from '../draws.ts';
import type { Execution, Program } from '../servers/flink.ts';
import type { World } from '../world.ts';
import { configOf } from './stream-config.ts';
import { StreamJob, type StreamConfig } from './stream-job.ts';
import { StreamTruth, type Completed } from './stream-truth.ts';

/** How a job of a stream goes, beside what its configuration says. */
export type Conduct = Pick<StreamConfig, 'name' | 'pace' | 'howOf' | 'neverCompletes' | 'rescales' | 'load'> & {
  readonly checkpoints?: string;
};

/** The jobs of streams on the world's Flink, and what must hold of each of their runs. */
export class Streams {
  readonly truth: StreamTruth;
  /** Of the cluster; absent: its job is no stream. */
  conductOf: (clusterId: string) => Conduct | undefined;
  private readonly world: World;
  /** As each JobManager read it when it started: its objects may be gone before its job begins. */
  private readonly configs = new Map<Execution, ReturnType<typeof configOf>>();
  /** Runs of their own, which may be one of a stream later. */
  private readonly plain = new Set<RunId>();

  constructor(world: World, conductOf: (clusterId: string) => Conduct | undefined) {
    this.world = world;
    this.conductOf = conductOf;
    const { sim, s3, invariants } = world;
    this.truth = new StreamTruth(sim, s3, (...it) => invariants.check(...it));
    const { onStart } = world.flink;
    world.flink.onStart = (execution) => {
      onStart(execution);
      const { clusterId } = execution;
      if (this.conductOf(clusterId) !== undefined) this.configs.set(execution, configOf(world.kubernetes, clusterId));
    };
    world.flink.streamOf = (clusterId, execution) => this.jobOf(clusterId, execution);
  }

  /** What must hold of each write of a record. */
  onRecord(record: RunRecord): void {
    this.noteWhose(record);
    const { outcome, state, job } = record;
    if (beginsAnyhow(record)) this.truth.follow(record.name, record.attempts.at(-1)?.restoredFrom?.path);
    if (job?.state === undefined || state !== 'closed' || outcome === undefined) return;
    this.checkKnown(record, outcome);
    this.checkStop(record, outcome);
    this.checkFiles(record);
  }

  private noteWhose({ runId, name, job, attempts }: RunRecord): void {
    if (job === undefined) return;
    if (job.state === undefined) this.plain.add(runId);
    else if (this.plain.delete(runId))
      this.truth.adopt(
        name,
        attempts.map(({ jobId }) => jobId),
      );
  }

  private isPlain(clusterId: string): boolean {
    return [...this.plain].some((runId) => clusterId.includes(`-${runId.slice(0, 10)}-`));
  }

  private checkKnown(record: RunRecord, outcome: Outcome): void {
    if (isHeld(record)) return;
    const newest = this.newestOf(record);
    const from = leftBy(record) ?? record.attempts.at(-1)?.restoredFrom ?? record.startFrom;
    const isKnown =
      record.stateUnknown !== undefined ||
      isFinished(outcome) ||
      newest === undefined ||
      from?.path === newest.path ||
      this.truth.isLastOfBegunAgain(from?.path);
    this.checkClosed('a closed run has the newest state on record', isKnown, record);
  }

  /** Of the stream; of a run whose successor has begun, its own. */
  private newestOf({ name, runId, deployment, createdAt, attempts }: RunRecord): Completed | undefined {
    const all = deployment === undefined ? [] : this.world.deployments.invariants.runsOf(deployment.id);
    const hasSuccessor = all.some((other) => other.runId !== runId && other.createdAt >= createdAt && !isHeld(other));
    return hasSuccessor ? this.truth.newestBy(attempts.map(({ jobId }) => jobId)) : this.truth.newest(name);
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
    const isOfStop = newest !== undefined && triesOf(record).test(newest.path);
    const hasSavepoint = newest?.isSavepoint === true && isOfStop && newest.path === left?.path;
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
    // Those that the deployment asked for are its own to know.
    const own = this.truth.savepoints().filter((path) => triesOf(record).test(path));
    const unknown = own.filter((path) => !known.includes(path));
    const excused = this.world.sim.faults.struck.some(
      ({ at }) => at.includes('state') || at.includes('s3 list sp') || at.includes('s3 delete all'),
    );
    this.world.invariants.check('no savepoint is left that nobody knows of', unknown.length === 0 || excused, () =>
      unknown.join(', '),
    );
  }

  private jobOf(clusterId: string, execution: Execution): StreamJob | undefined {
    const { pod, held } = execution;
    const conduct = this.conductOf(clusterId);
    if (conduct === undefined) return undefined;
    const { kubernetes, sim } = this.world;
    const forgets = sim.draws.chance('flink forgets operations', 0.3);
    const config = this.configs.get(execution) ?? configOf(kubernetes, clusterId);
    // A program that is handed over is told with it what it begins from.
    const { savepointPath, claimMode } = held?.run ?? {};
    const start = held === undefined ? {} : { restoredFrom: savepointPath, claims: claimMode === 'CLAIM' };
    const isPlain = () => this.isPlain(clusterId);
    return new StreamJob(this.truth, {
      ...config,
      ...start,
      ...conduct,
      question: `${clusterId} ${pod}`,
      forgets,
      isPlain,
    });
  }
}

/** A stream goes on, as a rule; `it`: its attempt. */
export function streamProgram(draws: Draws, it: string, stream: string): Program {
  const restAfter = draws.between(`${it} rest`, 300, 3_000);
  const runsAfter = restAfter + draws.between(`${it} runs`, 100, 2_000);
  const ends = draws.of(`${it} ends`);
  const endsAfter = runsAfter + draws.between(`${it} lasts`, 2_000, 40_000);
  const older = draws.chance(`${stream} older`, 0.4);
  return {
    ...{ restAfter, runsAfter, end: ends < 0.05 ? 'FINISHED' : 'FAILED', older },
    ...(ends < 0.15 ? { endsAfter } : {}),
    ...(draws.chance(`${it} deaf`, 0.05) ? { deafToCancel: true } : {}),
  };
}

/** Directories of savepoints that a stop asked for; a deployment's own requests have others. */
function triesOf({ runId }: RunRecord): RegExp {
  return new RegExp(`/${runId}-\\d+/`);
}

/** Its next attempt does not wait for anybody to say what is newest: what it had is not asked for. */
function beginsAnyhow({ state, stateUnknown, job }: RunRecord): boolean {
  return state === 'launching' && stateUnknown !== undefined && job.state?.upgradeMode === 'stateless';
}

function leftBy({ attempts }: RunRecord): Snapshot | undefined {
  return attempts.at(-1)?.snapshot;
}

/** By itself, and not because it was stopped. */
function isFinished({ flinkState, reason }: Outcome): boolean {
  return flinkState === 'FINISHED' && reason !== 'StoppedWithSavepoint';
}
