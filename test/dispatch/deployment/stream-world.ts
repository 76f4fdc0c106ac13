import { jobIdFor, clusterIdFor, type DeploymentId, type RunId } from '../../../lib/core/ids.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { Reason } from '../../../lib/core/reasons.ts';
import { isHeld } from '../../../lib/run/prepared.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { accept, type Accepted, type AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { advanceDeployment } from '../../../lib/dispatch/deployment/advance-deployment.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import { sweep } from '../../../lib/dispatch/sweep/sweep.ts';
import type { SweepDeps } from '../../../lib/dispatch/sweep/sweep-deps.ts';
import type { Rescaling, Savepoints } from '../../../lib/flink/job-manager.ts';
import { addEvent, currentAttempt, end, isEnded, toCleaning, toClosed } from '../../../lib/run/machine.ts';
import type { ActiveRun, Attempt, Outcome, QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { isRunMessage, type QueueMessage, type RunQueue } from '../../../lib/run/store/run-queue.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import { below } from '../../../lib/state/storage.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { scaleOf } from '../../../lib/job/scale.ts';
import { ScaledJob } from '../../fakes/scaled-job.ts';
import { FakeStateStorage } from '../../fakes/state-storage.ts';
import { Effects, type PlannedFault } from '../scripted/effects.ts';
import { World } from '../scripted/world.ts';
import { jobMessage } from '../world/simulated.ts';

export const SAVEPOINTS = 's3://state/savepoints';
export const CHECKPOINTS = 's3://state/checkpoints';
/** What the dispatcher can send to a JobManager. */
const PREPARABLE = 's3://jars/job.jar';
const VISIBILITY = 60_000;
const FUNCTION_TIME = 60_000;
/** Between two checkpoints. */
const EVERY = 10_000;

/** What becomes of one run: its job counts seconds, and its state is the count. */
export interface Fate {
  /** The stop comes to nothing, and the job runs on. */
  readonly refusesStop?: boolean;
  /** It ends by itself so long after it began to run. */
  readonly ends?: { readonly after: number; readonly how: 'finished' | 'failed' | 'lost' | 'refused' };
  /** It completes no checkpoint; `slow`: the first is under way for ever. */
  readonly takesNone?: boolean | 'slow';
  /** Its JobManager answers nobody who asks how it goes. */
  readonly isSilent?: boolean;
  /** How often Flink has begun it anew, by the time that somebody asks. */
  readonly restarts?: number;
  /** Between its end and the proof that nothing of it is left. */
  readonly removal?: number;
  /** Another JobManager may still begin its program when it has ended. */
  readonly unsealed?: boolean;
  /** What becomes of another parallelism, once it is asked for; default: the job has it 2 s later. */
  readonly rescales?: 'never' | 'refused' | 'unheard';
  /** Of a run that is made before its turn: when it is ready, or what it fails of; default: after 5 s. */
  readonly prepares?: number | Reason;
}

interface Job {
  readonly scaled: ScaledJob;
  readonly start: number;
  readonly since: number;
  /** Count of its last checkpoint; one every ten seconds. */
  checkpoint?: number;
}

export interface StreamOptions {
  readonly fault?: PlannedFault;
  /** In place of those in which one fault is planned. */
  readonly effects?: Effects;
  readonly losesMessages?: boolean;
  readonly fate?: (number: number) => Fate;
}

/** A stream as `accept` takes it. */
export function stream(change: Record<string, unknown> = {}, job: Record<string, unknown> = {}): RunRequest {
  const { jarURI = 'local:///opt/job.jar' } = job;
  const options = {
    'execution.checkpointing.savepoint-dir': SAVEPOINTS,
    'execution.checkpointing.dir': CHECKPOINTS,
  };
  return jobMessage({
    name: 'orders',
    flinkConfiguration: options,
    ...change,
    job: { entryClass: 'a.B', kind: 'streaming', ...job, jarURI: job['prepareUpgrade'] === true ? PREPARABLE : jarURI },
  });
}

/**
 * Deployments as the functions drive them, over runs that are played here: what a run does with its attempt is another
 * test's. Time passes from message to message; each effect of the functions can go wrong once.
 */
export class StreamWorld {
  readonly parts = new World();
  readonly clock = this.parts.clock;
  readonly effects: Effects;
  readonly state = new FakeStateStorage();
  readonly accepting: AcceptDeps;
  readonly dispatch: DispatchDeps;
  readonly sweeper: SweepDeps;
  /** The count in each snapshot that ever was complete. */
  readonly counts = new Map<string, number>();
  readonly started: {
    readonly run: RunId;
    readonly from: string | undefined;
    readonly newest: number;
    readonly count: number;
  }[] = [];
  readonly violations: string[] = [];
  /** What there is to do, in subtasks that work all of their time. */
  load = 1;
  /** Of how many vertices that is measured. */
  measured = 2;
  private readonly options: StreamOptions;
  private readonly jobs = new Map<RunId, Job>();
  private readonly savepointsAsked = new Map<string, string>();
  private messages: { readonly at: number; readonly message: QueueMessage }[] = [];
  /** The newest count that any run of the stream left. */
  private newest = 0;
  private readonly rescales: { readonly at: number; readonly of: ScaledJob }[] = [];
  private readonly dueAt = new Map<RunId, number>();

  constructor(options: StreamOptions = {}) {
    this.options = options;
    this.effects = options.effects ?? new Effects(options.fault);
    const { effects, parts } = this;
    const queue: RunQueue = {
      send: (message, delay) => {
        this.messages.push({ at: this.clock.now() + delay * 1000, message });
        return Promise.resolve();
      },
    };
    const common = {
      ledger: effects.watch('ledger', parts.ledger, 'StorageUnavailable'),
      deployments: effects.watch('deployments', parts.deployments, 'StorageUnavailable'),
      runQueue: effects.watch('runQueue', queue, 'StorageUnavailable'),
    };
    this.accepting = { ...parts.accept, ...common };
    this.dispatch = {
      ...parts.dispatch,
      ...common,
      publisher: effects.watch('publisher', parts.publisher, 'StorageUnavailable'),
      targets: () => effects.run('targets', 'ClusterUnavailable', () => Promise.resolve(this.target())),
      state: () => effects.watch('state', this.state, 'StateStorageUnavailable'),
    };
    this.sweeper = { ...parts.sweeper, ...common, live: parts.ledger };
  }

  async request(request: RunRequest): Promise<Accepted> {
    for (let tries = 0; tries < 5; tries += 1) {
      this.effects.crashed = false;
      try {
        return await accept(request, this.accepting);
      } catch (error) {
        if (!this.effects.struck) throw error;
        this.clock.time += 1000;
      } finally {
        this.effects.crashed = false;
      }
    }
    throw new Error('the request was never accepted');
  }

  /** Lets time pass, with all that comes due in it, and a sweep every minute. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (;;) {
      const next = Math.min(...this.messages.map(({ at }) => at), this.nextMinute());
      if (next > until) break;
      this.clock.time = Math.max(this.clock.time, next);
      await this.deliverDue();
      if (this.clock.now() % 60_000 === 0) await this.sweep();
    }
    this.clock.time = Math.max(this.clock.time, until);
  }

  /** Takes all messages that wait, and loses them. */
  loseMessages(): readonly QueueMessage[] {
    const lost = this.messages.map(({ message }) => message);
    this.messages = [];
    return lost;
  }

  get waiting(): readonly QueueMessage[] {
    return this.messages.map(({ message }) => message);
  }

  get deployment(): DeploymentRecord {
    const [record] = this.parts.deployments.records;
    if (record === undefined) throw new Error('there is no deployment');
    return record;
  }

  get runs(): readonly RunRecord[] {
    return this.parts.ledger.records.filter(({ deployment }) => deployment !== undefined);
  }

  get told(): readonly string[] {
    const events = new Map(this.parts.publisher.ofDeployments.map(({ event }) => [event.id, event]));
    return [...events.values()].map(({ data }) => `${data.state} ${data.generation}`);
  }

  /** The count of the job that runs; undefined when none does. */
  get count(): number | undefined {
    const run = this.runs.find(({ state }) => state === 'running');
    return run === undefined ? undefined : this.countOf(run.runId);
  }

  private nextMinute(): number {
    return (Math.floor(this.clock.now() / 60_000) + 1) * 60_000;
  }

  private async deliverDue(): Promise<void> {
    const now = this.clock.now();
    const due = this.messages.filter(({ at }) => at <= now);
    this.messages = this.messages.filter(({ at }) => at > now);
    for (const { message } of due) await this.deliver(message);
  }

  private async deliver(message: QueueMessage): Promise<void> {
    if (isRunMessage(message)) return this.stepRun(message.runId);
    this.effects.crashed = false;
    let thrown = false;
    try {
      await advanceDeployment(message.deployment, this.dispatch, this.clock.now() + FUNCTION_TIME);
    } catch (error) {
      if (!this.effects.struck) throw error;
      thrown = true;
    }
    const again = this.effects.crashed ? this.options.losesMessages !== true : thrown;
    if (again) this.messages.push({ at: this.clock.now() + VISIBILITY, message });
    this.effects.crashed = false;
    this.check();
  }

  private async sweep(): Promise<void> {
    this.effects.crashed = false;
    await sweep([], this.sweeper, { most: 100, deadline: this.clock.now() + FUNCTION_TIME }).catch((error: unknown) => {
      if (!this.effects.struck) throw error;
    });
    this.effects.crashed = false;
  }

  /** One step of a run, as its own functions would take it; the deployment hears of each. */
  private async stepRun(runId: RunId): Promise<void> {
    const stored = await this.parts.ledger.read(runId);
    if (stored === undefined || stored.value.state === 'closed') return;
    const due = this.dueAt.get(runId) ?? 0;
    const wakes = ['running', 'accepted', 'starting'].includes(stored.value.state);
    if (!wakes && due > this.clock.now()) return;
    const [next, wait] = this.step(stored.value);
    if (next !== stored.value) {
      await this.parts.ledger.replace(
        { ...next, step: { number: next.step.number + 1, dueAt: this.clock.now() } },
        stored.version,
      );
      const id = next.deployment?.id;
      if (id !== undefined) this.messages.push({ at: this.clock.now(), message: { version: 1, deployment: id } });
    }
    if (next.state === 'closed') return;
    const at = this.clock.now() + wait;
    this.dueAt.set(runId, at);
    this.messages = this.messages.filter(({ message }) => !isRunMessage(message) || message.runId !== runId);
    this.messages.push({ at, message: { version: 1, runId, step: next.step.number } });
  }

  private step(run: RunRecord): readonly [RunRecord, number] {
    if (run.state === 'accepted') return [isHeld(run) ? this.held(run) : this.launched(run, this.attemptOf(run)), 1000];
    if (run.state === 'starting') return this.waitOn(run);
    if (run.state === 'ended') return [toCleaning(run), this.fateOf(run).removal ?? 500];
    if (run.state === 'cleaning') return [toClosed(run), 0];
    return run.state === 'running' ? this.runOn(run) : [run, 1000];
  }

  private runOn(run: ActiveRun): readonly [RunRecord, number] {
    const now = this.clock.now();
    this.checkpointed(run);
    const { ends, refusesStop = false } = this.fateOf(run);
    const left = ends === undefined ? Infinity : ends.after - (now - (currentAttempt(run).runningAt ?? now));
    if (ends !== undefined && left <= 0) return [this.ended(run, ends.how), 500];
    if (run.cancelRequested !== undefined) return [this.stopped(run, 'canceled', undefined), 500];
    const asked = run.stopRequested;
    if (asked?.mode === 'last-state') return [this.stopped(run, 'canceled', this.checkpointOf(run)), 500];
    if (asked === undefined) return [run, Math.min(600_000, Math.max(1, left))];
    if (refusesStop) return [refused(run, now), 1000];
    const path = below(asked.savepoint.directory, `savepoint-${run.runId.slice(0, 6)}`);
    this.complete(path, run);
    return [this.stopped(run, 'savepoint', { kind: 'savepoint', path, run: run.runId, at: now }), 500];
  }

  private held(run: QueuedRun): RunRecord {
    const { cancelRequested: asked } = run;
    const now = this.clock.now();
    if (asked !== undefined)
      return end(run, { state: 'canceled', reason: asked.reason, message: '', at: now, evidence: [] });
    return { ...run, state: 'starting', attempts: [this.attemptOf(run)] };
  }

  /** Its program begins with the permit, and not before. */
  private waitOn(run: ActiveRun): readonly [RunRecord, number] {
    const now = this.clock.now();
    const { cancelRequested: asked, prepared } = run;
    const { prepares = 5000 } = this.fateOf(run);
    const evidence: readonly string[] = [];
    if (asked !== undefined) {
      return [end(run, { state: 'canceled', reason: asked.reason, message: '', at: now, evidence }), 500];
    }
    if (!isHeld(run)) return [this.launched(run, currentAttempt(run)), 1000];
    if (typeof prepares === 'string') {
      return [end(run, { state: 'failed', reason: prepares, message: 'in vain', at: now, evidence }), 500];
    }
    const left = prepares - (now - currentAttempt(run).launchedAt);
    if (left > 0 || prepared?.readyAt !== undefined) return [run, Math.min(600_000, Math.max(left, 1000))];
    return [{ ...run, prepared: { ...prepared, readyAt: now } }, 1000];
  }

  private attemptOf(run: QueuedRun): Attempt {
    return {
      number: 1,
      clusterId: clusterIdFor(run.name, run.runId, 1),
      jobId: jobIdFor(run.runId, 1),
      launchedAt: this.clock.now(),
      ...(run.startFrom === undefined ? {} : { restoredFrom: run.startFrom }),
    };
  }

  /** Whatever is there of another run, its job has ended and cannot begin again. */
  private checkAlone({ runId }: RunRecord): void {
    const others = this.runs.filter((run) => run.runId !== runId && run.state !== 'closed' && !isHeld(run));
    for (const { runId: other, state, attempts } of others) {
      const isSealed = isEnded(state) && attempts.at(-1)?.startRevokedAt !== undefined;
      if (!isSealed) this.violations.push(`I1: ${runId} begins beside ${other}, which is ${state}`);
    }
  }

  private launched(run: QueuedRun | ActiveRun, first: Attempt): RunRecord {
    this.checkAlone(run);
    const now = this.clock.now();
    const from = run.startFrom;
    const count = from === undefined ? 0 : (this.counts.get(from.path) ?? 0);
    if (from !== undefined && !this.counts.has(from.path)) this.violations.push(`${from.path} is not there`);
    this.started.push({ run: run.runId, from: from?.path, newest: this.newest, count });
    const { parallelism } = scaleOf(run.job.options);
    this.jobs.set(run.runId, { start: count, since: now, scaled: new ScaledJob(parallelism) });
    if (from?.path !== first.restoredFrom?.path) this.violations.push(`I2: ${run.runId} restores another snapshot`);
    const runtime = { jobId: jobIdFor(run.runId, 1), type: 'STREAMING' as const, checkpointInterval: EVERY };
    const running: ActiveRun = { ...run, state: 'running', attempts: [{ ...first, runtime, runningAt: now }] };
    return addEvent(running, 'started', now, 1);
  }

  private checkpointed(run: RunRecord): void {
    const job = this.jobs.get(run.runId);
    const due = Math.floor(this.countOf(run.runId) / 10) * 10;
    if (job === undefined || due <= job.start || (this.fateOf(run).takesNone ?? false) !== false) return;
    job.checkpoint = due;
    const path = this.checkpointPath(run, due);
    if (this.counts.has(path)) return;
    this.counts.set(path, due);
    this.state.complete.set(path, { at: this.clock.now(), bytes: 1, checkpointId: 1 });
  }

  private checkpointPath(run: RunRecord, count: number): string {
    return `${CHECKPOINTS}/${jobIdFor(run.runId, 1)}/chk-${count}`;
  }

  private checkpointOf(run: RunRecord): Snapshot | undefined {
    const count = this.jobs.get(run.runId)?.checkpoint;
    if (count === undefined) return undefined;
    return { kind: 'checkpoint', path: this.checkpointPath(run, count), run: run.runId, at: this.clock.now() };
  }

  private complete(path: string, run: RunRecord): void {
    this.counts.set(path, this.countOf(run.runId));
    this.state.complete.set(path, { at: this.clock.now(), bytes: 1, checkpointId: 1 });
  }

  private countOf(runId: RunId): number {
    const job = this.jobs.get(runId);
    return job === undefined ? 0 : job.start + Math.floor((this.clock.now() - job.since) / 1000);
  }

  private stopped(run: ActiveRun, how: 'savepoint' | 'canceled', snapshot: Snapshot | undefined): RunRecord {
    const state = how === 'savepoint' ? 'succeeded' : 'canceled';
    const reason = how === 'savepoint' ? 'StoppedWithSavepoint' : 'JobCanceled';
    const flinkState = how === 'savepoint' ? 'FINISHED' : 'CANCELED';
    return this.endWith(run, { state, reason, message: how, at: this.clock.now(), flinkState, evidence: [] }, snapshot);
  }

  private ended(run: ActiveRun, how: NonNullable<Fate['ends']>['how']): RunRecord {
    const base = { message: `it ${how}`, at: this.clock.now(), evidence: [] };
    if (how === 'finished') return this.endWith(run, { ...base, state: 'succeeded', reason: 'JobFinished' }, undefined);
    const reason = how === 'refused' ? 'StateIncompatible' : 'JobFailed';
    const ended = this.endWith(run, { ...base, state: 'failed', reason }, this.checkpointOf(run));
    return how !== 'lost' ? ended : { ...ended, stateUnknown: { message: 'nobody answered' } };
  }

  private endWith(run: ActiveRun, outcome: Outcome, snapshot: Snapshot | undefined): RunRecord {
    const { unsealed = false } = this.fateOf(run);
    const sealed = unsealed ? {} : { startRevokedAt: this.clock.now() };
    const submission = { by: 'a function', at: 0, answeredAt: 0, highAvailability: false };
    const attempt = {
      ...{ ...currentAttempt(run), ...sealed, ...(snapshot === undefined ? {} : { snapshot }) },
      ...(run.prepared === undefined ? {} : { submission }),
    };
    this.newest = snapshot === undefined ? this.newest : (this.counts.get(snapshot.path) ?? 0);
    return end({ ...run, attempts: [attempt] }, outcome);
  }

  private fateOf(run: RunRecord): Fate {
    const number = this.runs.findIndex(({ runId }) => runId === run.runId) + 1;
    return this.options.fate?.(number) ?? {};
  }

  /** Whether the job of a run has completed a checkpoint. */
  hasState(runId: RunId | undefined): boolean {
    return runId !== undefined && this.jobs.get(runId)?.checkpoint !== undefined;
  }

  /** What holds at every moment. */
  private check(): void {
    const left = this.deployment.stable?.left?.path;
    if (left !== undefined && this.counts.has(left) && !this.state.complete.has(left)) {
      this.violations.push(`${left} was deleted, which a rollback needs`);
    }
    const { leaving } = this.deployment;
    const open = this.runs.filter((run) => run.state !== 'closed' && !isHeld(run) && run.runId !== leaving?.id);
    if (open.length > 1) this.violations.push(`I1: ${open.length} runs at a time`);
    for (const { run, from, count } of this.started) {
      const record = this.runs.find(({ runId }) => runId === run);
      if (record === undefined || isEnded(record.state) || from === undefined) continue;
      const needs = this.jobs.get(run)?.checkpoint === undefined;
      if (needs && !this.state.complete.has(from))
        this.violations.push(`${from} (${count}) was deleted, and is needed`);
    }
  }

  /** The job of the run that runs. */
  get scaled(): ScaledJob {
    const run = this.runs.find(({ state }) => state === 'running');
    const job = run && this.jobs.get(run.runId);
    if (job === undefined) throw new Error('no job runs');
    return job.scaled;
  }

  private rescaling(): Rescaling {
    const find = (jobId: string): { readonly scaled: ScaledJob; readonly fate: Fate } => {
      const run = this.runs.find(({ runId }) => jobIdFor(runId, 1) === jobId);
      const job = run && this.jobs.get(run.runId);
      if (run?.state !== 'running' || job === undefined)
        throw new DispatchError('RestUnreachable', 'no JobManager answers');
      for (const due of this.rescales.filter(({ at, of }) => of === job.scaled && at <= this.clock.now()))
        due.of.apply();
      return { scaled: job.scaled, fate: this.fateOf(run) };
    };
    return {
      vertices: (jobId) => Promise.resolve(find(jobId).scaled.vertices()),
      requirements: (jobId) => Promise.resolve(find(jobId).scaled.requirements()),
      load: (jobId, id) => Promise.resolve(find(jobId).scaled.loadOf(id, this.load, this.measured)),
      require: (jobId, requirements) => {
        const { scaled, fate } = find(jobId);
        if (fate.rescales === 'refused') throw new DispatchError('FlinkRefused', 'it does not like that');
        if (fate.rescales !== 'unheard') scaled.require(requirements);
        if (fate.rescales === undefined) this.rescales.push({ at: this.clock.now() + 2000, of: scaled });
        return Promise.resolve();
      },
    };
  }

  private target(): Awaited<ReturnType<DispatchDeps['targets']>> {
    const job = (jobId: string): RunRecord | undefined => this.runs.find((run) => jobIdFor(run.runId, 1) === jobId);
    const savepoints: Savepoints = {
      trigger: (jobId, { triggerId = '', targetDirectory = '' }) => {
        const run = job(jobId);
        if (run?.state !== 'running') throw new DispatchError('RestUnreachable', 'no JobManager answers');
        const path = `${targetDirectory}/savepoint-${triggerId.slice(0, 6)}`;
        this.savepointsAsked.set(triggerId, path);
        this.complete(path, run);
        return Promise.resolve({ kind: 'savepoint', jobId, triggerId });
      },
      checkpoint: (jobId, { triggerId }) => {
        this.savepointsAsked.set(triggerId, '');
        return Promise.resolve({ kind: 'checkpoint', jobId, triggerId });
      },
      stop: () => Promise.reject(new Error('runs are stopped by their own functions')),
      dispose: () => Promise.reject(new Error('nothing is disposed of by Flink')),
      status: (operation) => {
        const location = this.savepointsAsked.get(operation.triggerId);
        if (location === undefined) return Promise.reject(new DispatchError('OperationNotFound', 'not known'));
        return Promise.resolve({ status: 'COMPLETED', ...(location === '' ? {} : { location }) });
      },
    };
    const application = {
      checkpoints: (jobId: string) => {
        const run = job(jobId);
        const { isSilent = false, takesNone } = run === undefined ? {} : this.fateOf(run);
        if (run?.state !== 'running' || isSilent)
          return Promise.reject(new DispatchError('RestUnreachable', 'no answer'));
        this.checkpointed(run);
        const count = this.jobs.get(run.runId)?.checkpoint;
        const newest =
          count === undefined
            ? {}
            : {
                newest: {
                  id: count,
                  path: this.checkpointPath(run, count),
                  isSavepoint: false,
                  at: this.clock.now(),
                  bytes: 1,
                },
              };
        const completedSinceRestore = count === undefined ? 0 : 1;
        return Promise.resolve({
          ...newest,
          completedSinceRestore,
          failed: 0,
          inProgress: takesNone === 'slow' ? 1 : 0,
        });
      },
      restarts: (jobId: string) => {
        const run = job(jobId);
        return Promise.resolve(run === undefined ? 0 : (this.fateOf(run).restarts ?? 0));
      },
      overview: () => {
        const running = this.runs.filter(({ state }) => state === 'running');
        const tasks = { RUNNING: 1, TOTAL: 1 };
        return Promise.resolve({
          jobs: running.map(({ runId }) => ({ id: jobIdFor(runId, 1), state: 'RUNNING', tasks })),
        });
      },
    };
    const watched = this.effects.watch('savepoints', savepoints, 'RestUnreachable');
    const jars = { run: () => Promise.resolve('') };
    return {
      session: () => ({ jars: this.effects.watch('jars', jars, 'RestUnreachable') }),
      savepoints: () => watched,
      rescaling: () => this.effects.watch('rescaling', this.rescaling(), 'RestUnreachable'),
      application: () => this.effects.watch('application', application, 'RestUnreachable'),
    } as unknown as Awaited<ReturnType<DispatchDeps['targets']>>;
  }
}

function refused(run: ActiveRun, now: number): RunRecord {
  const { stopRequested: asked, ...rest } = run;
  const failed = { at: now, by: asked?.by ?? '', reason: 'SavepointFailed', message: 'declined', ordinal: 3 } as const;
  return { ...rest, stopFailed: failed };
}

export function idOf({ deployment }: Accepted): DeploymentId {
  if (deployment === undefined) throw new Error('no deployment');
  return deployment.id;
}
