import { scaleOf } from '../../../lib/job/scale.ts';
import { generationOf, type DeploymentRecord, type Generation } from '../../../lib/deployment/record.ts';
import { differInScaleAlone } from '../../../lib/deployment/scale/plan.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { ScaledJob } from '../../fakes/scaled-job.ts';
import type { World } from '../world.ts';
import type { DeploymentInvariants } from './deployment-invariants.ts';

/** What must hold where the parallelism of a job is changed while it runs: R1 to R4 of `docs/reliability.md`. */
export class RescaleInvariants {
  /** Rescales that came true. */
  count = 0;
  private readonly world: World;
  private readonly deployments: DeploymentInvariants;

  constructor(world: World, deployments: DeploymentInvariants) {
    this.world = world;
    this.deployments = deployments;
  }

  onRecord(record: DeploymentRecord, last: DeploymentRecord | undefined): void {
    const { run } = record;
    if (record.wanted !== last?.wanted) this.checkAutoscaled(record, last);
    const before = last?.run;
    if (run === undefined || before === undefined || before.id !== run.id) return;
    const wanted = generationOf(record, record.wanted);
    if (record.reached !== last?.reached) this.atRest(record);
    if (run.generation !== before.generation) this.checkCameTrue(record);
    if (run.stop !== undefined && before.stop === undefined && wanted !== undefined) this.checkStop(record, wanted);
  }

  /** R5: within its bounds, and not more often than its window. */
  private checkAutoscaled(record: DeploymentRecord, last: DeploymentRecord | undefined): void {
    const { autoscaledAt, scale, plan } = generationOf(record, record.wanted) ?? {};
    const { min = 0, max = 0, window = Infinity } = plan?.autoscale ?? {};
    const { parallelism = 0 } = scale ?? {};
    if (autoscaledAt === undefined || generationOf(last ?? record, record.wanted) !== undefined) return;
    const isWithin = parallelism >= min && parallelism <= max;
    this.check('R5: a load has no job outside of its bounds', isWithin, () => `${record.name}: ${parallelism}`);
    const before = last?.generations.findLast((one) => one.autoscaledAt !== undefined)?.autoscaledAt ?? -Infinity;
    const isRare = autoscaledAt - before >= window;
    this.check('R5: a load changes a job no more often than its window', isRare, () => record.name);
  }

  private checkStop(record: DeploymentRecord, wanted: Generation): void {
    const { run, name, unscaled, done } = record;
    if (run?.stop?.why !== 'upgrade' || !differInScaleAlone(generationOf(record, run.generation), wanted)) return;
    const isRestart = (wanted.wish.nonces.restart ?? 0) !== (done.restart ?? 0);
    const state = this.deployments.runsOf(record.id).find(({ runId }) => runId === run.id)?.state;
    // One that was not seen to run has nothing to keep.
    const isExcused = unscaled?.generation === wanted.number || run.runningAt === undefined || state !== 'running';
    this.check(
      'R1: a run ends for its parallelism alone only when it is said why',
      isRestart || isExcused,
      () => `${name}: ${JSON.stringify(run)}`,
    );
  }

  /** R2: the record has it only when the job has it, and R3: nothing else of the job was changed. */
  private checkCameTrue(record: DeploymentRecord): void {
    const { run, name } = record;
    const scale = run && generationOf(record, run.generation)?.scale;
    const of = this.deployments.runsOf(record.id).find(({ runId }) => runId === run?.id);
    this.count += 1;
    const jobs = this.jobsOf(of);
    const had = jobs.some(({ history }) => scale !== undefined && history.includes(scale.parallelism));
    this.check('R2: what is told as rescaled was', had, () => `${name}: ${run?.generation ?? 0}`);
    this.check(
      'R3: what the program set is left alone',
      scale === undefined || jobs.every(({ keepsFixed }) => keepsFixed),
      () => name,
    );
  }

  /** R4: the next attempt begins with the parallelism of the generation that its run has by then. */
  onRun(run: RunRecord): void {
    const { deployment, job } = run;
    const record = deployment && this.deployments.records.get(deployment.id);
    const scale = record && generationOf(record, deployment.generation)?.scale;
    if (job === undefined || scale === undefined) return;
    const { parallelism } = scaleOf(job.options);
    this.check('R4: a run has the parallelism of its generation', parallelism === scale.parallelism, () => run.name);
  }

  /** What is reached is what runs. */
  atRest(record: DeploymentRecord): void {
    const { run, state, wanted, reached, name } = record;
    const scale = run && generationOf(record, run.generation)?.scale;
    const of = this.deployments.runsOf(record.id).find(({ runId }) => runId === run?.id);
    if (state !== 'running' || wanted !== reached || scale?.inPlace !== true || of?.state !== 'running') return;
    const job = this.jobsOf(of).at(-1);
    this.check(
      'R2: what is reached is what runs',
      job === undefined || job.parallelism === scale.parallelism,
      () => `${name}: ${job?.parallelism ?? 0}, not ${scale.parallelism}`,
    );
  }

  private jobsOf(run: RunRecord | undefined): readonly ScaledJob[] {
    const { scaled } = this.world.streams.truth;
    return (run?.attempts ?? []).flatMap(({ jobId }) => scaled.get(jobId) ?? []);
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.deployments.check(invariant, holds, detail);
  }
}
