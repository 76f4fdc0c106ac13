import { canonicalJson } from '../../lib/core/json.ts';
import type { RunId } from '../../lib/core/ids.ts';
import { describeError } from '../../lib/core/errors.ts';
import { lifecycleEventSchema, type LifecycleEvent } from '../../lib/outcome/schema.ts';
import { parseRecord } from '../../lib/run/record-schema.ts';
import { hasHighAvailability } from '../../lib/job/high-availability.ts';
import { isHeld } from '../../lib/run/prepared.ts';
import { isEnded } from '../../lib/run/machine.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { Execution } from './servers/flink.ts';
import { LEDGER } from './functions.ts';
import type { Stored } from './servers/kubernetes-objects.ts';
import { checkChange, checkShape, isCalledEndless, isOfOneKey, type Check } from './record-invariants.ts';
import type { Put } from './servers/s3.ts';
import { isPoolDeployment, isTheirs, isUnderForeign } from './sessions/session-invariants.ts';
import { checkHistory } from './history/invariants.ts';
import { checkIndex } from './index/invariants.ts';
import { checkReport } from './index/report-invariants.ts';
import type { Invocation } from './simulation.ts';
import type { MemoryQueue } from './servers/sqs.ts';
import type { World } from './world.ts';
import { runId as runIdOf } from '../fakes/ids.ts';
import { parseRunMessage, type RunMessage } from '../../lib/run/store/run-queue.ts';

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

const RUN_ID = 'flink-dispatch.io/run-id';
const RECORD = /^runs\/[0-9a-f]{20}\/record\.json$/;
/** Under another key the invariants would look at nothing, and hold. */
const DOCUMENTED =
  /^(?:runs\/(?:[0-9a-f]{20}\/(?:record\.json$|report\.html$|evidence\/|samples\/\d+\/\d-\d\d\.jsonl$|archive\/\d+\/[0-9a-f]{32}\.json$)|sweep-place\.json$)|(?:live|live-deployments|locks|lock-queues|sessions)\/|archive\/(?:[^/]+\/)?[0-9a-f]{32}$|index\/(?:rows|older)\/|deployments\/(?:[0-9a-f]{20}\/(?:record|requests\/[0-9a-f]{20})|uploads\/[0-9a-f]{64})\.json$|jars\/(?:sha256|incoming|known)\/)/;
/** Run messages of one run at once: its own, those of a source that sends again and again, of who cancels, of the sweeper. */
const MOST_MESSAGES = 40;

/**
 * What must hold at every step, judged from the outside: by what S3 stores, the event bus delivers, Kubernetes has and
 * Flink truly did. The product's own opinion counts only where it is the thing to be judged.
 */
export class Invariants {
  readonly violations: Violation[] = [];
  readonly records = new Map<RunId, RunRecord>();
  private readonly events = new Map<string, string>();
  private readonly delivered = new Map<string, number>();
  /** Jobs that truly ended by themselves, by run. */
  private readonly finished = new Map<string, Execution>();
  /** Of which a job has finished, whatever became of main(). */
  private readonly begun = new Map<string, Execution>();
  private readonly unknowable = new Set<Execution>();
  /** Of every attempt that ever was on record. */
  private readonly clusterIds = new Set<string>();
  private readonly world: World;
  private readonly checks: Check = (...it) => this.check(...it);
  private lastRecord: { readonly text: string; readonly record: RunRecord | undefined } | undefined;

  constructor(world: World) {
    this.world = world;
    world.s3.onPut = (put) => this.onPut(put);
    world.bus.onEvent = (event) => this.onEvent(event);
    world.kubernetes.watchers.push({
      created: (object, by) => this.onCreated(object, by),
      deleted: (object, by) => this.onDeleted(object, by),
      gone: () => undefined,
    });
    world.flink.onStart = (execution) => this.onStart(execution);
    world.flink.onEnd = (execution) => this.onEnd(execution);
    world.flink.onJobFinished = (execution) => this.onJobFinished(execution);
    world.flink.onRefused = (execution) => this.onRefused(execution);
  }

  get runs(): number {
    return this.records.size;
  }

  recordNamed(name: string): RunRecord | undefined {
    return [...this.records.values()].find((record) => record.name === name);
  }

  /** True when everything that was ever begun is over and gone. */
  nothingIsLeft(): boolean {
    const { s3, kubernetes } = this.world;
    return (
      [...this.records.values()].every(({ state }) => state === 'closed') &&
      s3.keys(`${LEDGER}/live/`).length === 0 &&
      s3.keys(`${LEDGER}/sessions/`).length === 0 &&
      [...kubernetes.objects.values()].every((object) => isForeign(object) || isUnderForeign(object, kubernetes))
    );
  }

  /** What is stored or sent, in its documented form: a field that is missing is a violation, which no default hides. */
  read<T>(what: string, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      this.check('what is stored and sent has its form', false, () => `${what}: ${describeError(error)}`);
      return undefined;
    }
  }

  /** Of a write of a record. */
  recordOf({ key, text }: Pick<Put, 'key' | 'text'>): RunRecord | undefined {
    if (!RECORD.test(key)) return undefined;
    if (this.lastRecord?.text !== text) this.lastRecord = { text, record: this.read(key, () => parseRecord(text)) };
    return this.lastRecord.record;
  }

  check(invariant: string, holds: boolean, detail: () => string): void {
    if (holds) return;
    const violation = { invariant, detail: detail() };
    this.violations.push(violation);
    this.world.sim.tell('INVARIANT', `✗ ${violation.invariant}: ${violation.detail}`);
  }

  // ── the ledger ──

  private onPut(put: Put): void {
    const { key, before, by } = put;
    this.check('the ledger has only what is documented', DOCUMENTED.test(key), () => key);
    const next = this.recordOf(put);
    if (next === undefined) return;
    const last = this.records.get(next.runId);
    this.check('every write of a record is seen', (last === undefined) === (before === undefined), () => key);
    this.records.set(next.runId, next);
    this.world.streams.onRecord(next);
    for (const { clusterId } of next.attempts) this.clusterIds.add(clusterId);
    this.world.sim.tell('ledger', `${next.name} is ${next.state}, step ${next.step.number} (${by})`);
    if (last === undefined) {
      this.check(
        'a run begins as accepted or rejected',
        next.state === 'accepted' || next.state === 'ended',
        () => next.state,
      );
    } else {
      checkChange(this.checks, last, next);
      this.checkAttempts(`${next.name} ${last.state} → ${next.state}`, last, next);
    }
    checkShape(this.checks, next);
    this.checkTold(next);
  }

  private checkAttempts(run: string, last: RunRecord, next: RunRecord): void {
    const before = last.attempts.at(-1);
    const now = next.attempts.at(-1);
    if (now === undefined || before?.number === now.number) return;
    this.check('attempts are numbered in turn', now.number === (before?.number ?? 0) + 1, () => run);
    this.check(
      'the last attempt is proven gone before the next',
      before === undefined || before.removalVerifiedAt !== undefined,
      () => `${run}: attempt ${now.number}`,
    );
    const running = this.runningClusters(next.runId);
    this.check('the last attempt is gone before the next', running.length === 0, () => `${run}: ${running.join(', ')}`);
    const finished = this.begun.get(next.runId);
    this.check(
      'a job that finished is never run again',
      finished === undefined || ranEndless(next, finished),
      () => `${run}: attempt ${now.number} after ${finished?.clusterId ?? ''} finished`,
    );
  }

  /** What is on record of others has happened. */
  private checkTold({ runId, state, events, attempts, name }: RunRecord): void {
    for (const { publishedAt, sequence } of events) {
      const told = publishedAt === undefined || this.delivered.has(`${runId}.${sequence}`);
      this.check('recorded as published only what was published', told, () => `${name}: event ${sequence}`);
    }
    if (state !== 'closed') return;
    const gone = attempts.every(({ removalVerifiedAt }) => removalVerifiedAt !== undefined);
    const running = this.runningClusters(runId);
    this.check('closed when proven gone', gone && running.length === 0, () => `${name}: ${running.join(', ')}`);
  }

  /** Each message leads to the next: two that went on side by side would double, and double again. */
  onRunMessage(queue: MemoryQueue, body: string, by: Invocation): void {
    const message = this.read('a run message', () => parseRunMessage(body));
    if (message !== undefined) this.checkStep(message, by);
    for (const { runId, name } of this.records.values()) {
      const count = queue.count(`run ${runId.slice(0, 6)} `);
      this.check('run messages are merged', count <= MOST_MESSAGES, () => `${name} has ${count} at once`);
    }
  }

  /** A step sends the message that follows its own: an older message than the one that is due leads to none. */
  private checkStep({ runId, step }: RunMessage, by: Invocation): void {
    const own = by.messages.filter((name) => name.startsWith(`run ${runId.slice(0, 6)} `));
    const steps = own.map((name) => Number(/step (\d+)/.exec(name)?.[1]));
    // Who cancels a run, also another one of its key, sends the message that is due again.
    const due = this.records.get(runId)?.step.number;
    // Another run may have told it that its turn has come.
    const isMixed = by.messages.some((name) => !own.includes(name));
    const follows = own.length === 0 || isMixed || steps.includes(step - 1) || step === due;
    this.check('an older run message leads to none', follows, () => `step ${step} of ${runId} by ${by.label}`);
  }

  // ── events ──

  private onEvent(event: LifecycleEvent): void {
    const { id, subject } = event;
    if (event.type.startsWith('io.flink-dispatch.deployment.')) return;
    this.read(id, () => lifecycleEventSchema.parse(event));
    const text = canonicalJson(event);
    const first = this.events.get(id);
    this.check(
      'an event is always the same',
      first === undefined || first === text,
      () => `${id}: ${first ?? ''} became ${text}`,
    );
    this.events.set(id, first ?? text);
    this.delivered.set(id, (this.delivered.get(id) ?? 0) + 1);
    const record = this.records.get(runIdOf(subject));
    const entry = record?.events.find(({ sequence }) => `${subject}.${sequence}` === id);
    this.check('recorded before published', entry !== undefined, () => `${id} ${event.type}`);
    if (entry?.type !== 'completed' || record === undefined) return;
    this.check('outcome recorded before it is published', record.outcome?.state === event.data.state, () => id);
    checkReport(this.checks, event, record, this.world.s3);
  }

  // ── Kubernetes ──

  private onCreated(object: Stored, by: string): void {
    if (object.kind !== 'Deployment' || by === 'someone else' || object.owners.length > 0) return;
    if (isTheirs(object) || isPoolDeployment(object)) return;
    const runId = runIdOf(object.annotations[RUN_ID] ?? '');
    // One that found no room leaves the record, and may still be made by a function that stood still.
    const known = this.clusterIds.has(object.name) && this.records.has(runId);
    this.check('an attempt is on record before anything of it exists', known, () => object.name);
  }

  private onDeleted(object: Stored, by: string): void {
    if (object.kind !== 'Deployment') return;
    if (by === 'someone else') return this.noteMeddling(object);
    const runId = object.annotations[RUN_ID];
    this.check('nobody else’s cluster is removed', runId !== undefined, () => `${object.name} by ${by}`);
    const record = this.records.get(runIdOf(runId ?? ''));
    const attempt = record?.attempts.at(-1);
    if (record === undefined || attempt?.clusterId !== object.name) return;
    // A launch that was late takes its own back where another Deployment is the run's.
    if (attempt.deploymentUid !== undefined && attempt.deploymentUid !== object.uid) return;
    const over = isEnded(record.state) || attempt.outcome !== undefined || record.state === 'waiting';
    this.check(
      'only what is over is removed',
      over,
      () => `${object.name} while ${record.name} is ${record.state}, by ${by}`,
    );
    if (record.outcome === undefined) return;
    const told = record.events.every(({ publishedAt }) => publishedAt !== undefined);
    this.check('published before removed', told, () => `${object.name} is removed before its end is told, by ${by}`);
  }

  /**
   * A launch that died after its last request has left no word of its cluster. When somebody deletes that before the launch
   * is taken up again, nobody can know that it was there.
   */
  private noteMeddling({ name, annotations }: Stored): void {
    const runId = annotations[RUN_ID];
    if (this.records.get(runIdOf(runId ?? ''))?.state !== 'launching') return;
    const unseen = this.world.flink.executions.filter(({ clusterId }) => clusterId === name);
    for (const execution of unseen) this.unknowable.add(execution);
    for (const ends of [this.finished, this.begun]) {
      if (runId !== undefined && unseen.includes(ends.get(runId) as Execution)) ends.delete(runId);
    }
  }

  // ── Flink ──

  private onStart(execution: Execution): void {
    const { kubernetes, sim } = this.world;
    const deployment = kubernetes.find('Deployment', execution.clusterId);
    const record = this.records.get(runIdOf(deployment?.annotations[RUN_ID] ?? ''));
    if (record === undefined) return;
    // A kubelet may start a pod while its end is under way; a restart by Kubernetes is no new cluster.
    const first = this.world.flink.executions.filter(({ clusterId }) => clusterId === execution.clusterId).length === 1;
    const going = deployment?.deletingAt !== undefined;
    if (first && !going) {
      const finished = this.begun.get(record.runId);
      this.check(
        'a job that finished is never run again',
        finished === undefined || ranEndless(record, finished),
        () => `${execution.clusterId} after ${finished?.clusterId ?? ''}`,
      );
      this.check(
        'no cluster starts after the end',
        !isEnded(record.state),
        () => `${execution.clusterId}: ${record.name} is ${record.state}`,
      );
    }
    const others = this.runningClusters(record.runId).filter((clusterId) => clusterId !== execution.clusterId);
    this.check(
      'one live cluster of a run at a time',
      others.length === 0,
      () => `${execution.clusterId} beside ${others.join(', ')}`,
    );
    this.checkConcurrency(record, execution);
    this.world.sessions.invariants.onExecution(execution, record);
    this.world.jars.onExecution(execution, record);
    sim.tell('flink', `${record.name} runs ${execution.clusterId}`);
  }

  private runningClusters(runId: string): readonly string[] {
    const { kubernetes } = this.world;
    const deployments = kubernetes.all('Deployment').filter(({ annotations }) => annotations[RUN_ID] === runId);
    return deployments.map(({ name }) => name).filter((name) => this.runs_(name));
  }

  private runs_(clusterId: string): boolean {
    return this.world.kubernetes
      .all('Pod')
      .some(({ labels, container }) => labels['app'] === clusterId && container?.state === 'running');
  }

  /** At most one run of a key has a job that may still do something. */
  private checkConcurrency(record: RunRecord, { clusterId }: Execution): void {
    const { concurrency } = record.job ?? {};
    if (concurrency === undefined || concurrency.policy === 'allow') return;
    for (const other of this.records.values()) {
      if (other.runId === record.runId || !isOfOneKey(other, record)) continue;
      // Of a program that has no permit Flink makes a plan, and runs no job.
      if (other.job?.concurrency?.policy === 'allow' || isHeld(other)) continue;
      const running = this.runningClusters(other.runId).filter((name) => !this.isOver(name));
      this.check('one run of a key at a time', running.length === 0, () => `${clusterId} beside ${running.join(', ')}`);
    }
  }

  private isOver(clusterId: string): boolean {
    if (this.world.flink.isPrepared(clusterId)) return !this.world.flink.isGoing(clusterId);
    const last = this.world.flink.executions.filter((execution) => execution.clusterId === clusterId).at(-1);
    return last?.end !== undefined || this.world.flink.programOf(clusterId).mainFails === true;
  }

  private onEnd(execution: Execution): void {
    const runId = this.runOfFirst(execution);
    if (runId !== undefined && execution.end === 'FINISHED') this.finished.set(runId, execution);
  }

  private onJobFinished(execution: Execution): void {
    const runId = this.runOfFirst(execution);
    if (runId !== undefined) this.begun.set(runId, execution);
  }

  /** What Kubernetes starts again while nobody looks is not the product's doing: the first JobManager's word counts. */
  private runOfFirst(execution: Execution): string | undefined {
    const { flink, kubernetes } = this.world;
    const first = flink.executions.find(({ clusterId }) => clusterId === execution.clusterId);
    if (first !== execution || this.unknowable.has(execution)) return undefined;
    return kubernetes.find('Deployment', execution.clusterId)?.annotations[RUN_ID];
  }

  /** Faults may take the room away that a cluster was admitted to. */
  private onRefused({ clusterId }: Execution): void {
    const { rate } = this.world.workload;
    this.check('a program begins only with room for its TaskManagers', rate > 0, () => clusterId);
  }

  // ── the end ──

  atLimit(): void {
    const live = [...this.records.values()].filter(({ state }) => state !== 'closed');
    const left = [...this.world.kubernetes.objects.values()].filter((object) => !isForeign(object));
    const detail = [
      ...live.map(
        ({ name, state, waiting, stepError: trouble }) => `${name} is ${state} ${JSON.stringify({ waiting, trouble })}`,
      ),
      ...left.map(({ kind, name }) => `${kind}/${name}`),
      ...this.world.s3.keys(`${LEDGER}/live/`),
      ...this.world.s3.keys(`${LEDGER}/sessions/`),
      `queues ${this.world.runQueue.size} ${this.world.jobQueue.size} ${this.world.betaQueue.size} ${this.world.uploadQueue.size}`,
    ];
    this.check('everything comes to its end', false, () => detail.join('; '));
  }

  atRest(): void {
    for (const [name, runId] of this.world.expected) this.checkAccepted(name, runId);
    for (const record of this.records.values()) this.checkClosed(record);
    this.checkConflicts();
    this.checkAgain();
    this.checkFirings();
    const { s3, sim } = this.world;
    checkIndex(this.checks, [...this.records.values()], s3);
    checkHistory(this.checks, [...this.records.values()], { s3, struck: sim.faults.struck });
    const left = this.world.locks.left();
    this.check('no lock is left', left.length === 0, () => left.join(', '));
  }

  private checkAccepted(name: string, runId: RunId): void {
    const { jobQueue, betaQueue, uploadQueue } = this.world;
    const gaveUp = [jobQueue, betaQueue, uploadQueue].some(({ failed }) => failed.length > 0);
    const { name: of = name } = this.records.get(runId) ?? {};
    this.check('a request is answered by its own run', of === name, () => `${name} by ${of}`);
    this.check('every request becomes a run', this.records.has(runId) || gaveUp || this.wasLost(name), () => name);
  }

  private checkAgain(): void {
    const records = [...this.records.values()];
    for (const { again, name, asked, job } of records) {
      if (again === undefined) continue;
      const twins = records.filter((other) => other.again?.of === again.of);
      this.check('an order to run again is one run', twins.length === 1, () => `${name}: ${twins.length}`);
      const first = this.records.get(again.of);
      const same = JSON.stringify([first?.asked, first?.job?.jar.pinned]) === JSON.stringify([asked, job?.jar.pinned]);
      this.check('what runs again is what ran', same || !again.exactly, () => name);
    }
  }

  private checkFirings(): void {
    for (const { name } of this.world.wishes.filter(({ kind }) => kind === 'schedule')) {
      const runs = [...this.records.values()].filter((record) => record.name === name && record.again === undefined);
      this.check('a firing is one run, whatever asks for it', runs.length <= 1, () => `${name}: ${runs.length}`);
    }
  }

  private checkConflicts(): void {
    const { wishes, jobQueue, betaQueue, sim } = this.world;
    const lost =
      sim.faults.struck.some(({ kind }) => kind === 'message-lost') ||
      jobQueue.failed.length + betaQueue.failed.length > 0;
    if (lost) return;
    for (const { name } of wishes.filter(({ conflicts }) => conflicts)) {
      const refused = [...this.records.values()].some(
        (record) => record.name === name && record.outcome?.reason === 'IdempotencyConflict',
      );
      this.check('another payload with the same key is refused', refused, () => name);
    }
  }

  /** The source itself lost it, or gave up on functions that never answered. */
  wasLost(name: string): boolean {
    return this.world.sim.faults.struck.some(({ at, kind }) => {
      if (at.startsWith(`schedule ${name} `)) return true;
      return kind === 'message-lost' && (new RegExp(`jobs(-beta)? ${name}`).test(at) || at.startsWith('uploads '));
    });
  }

  private checkClosed(record: RunRecord): void {
    const { runId, name, outcome, events } = record;
    for (const { sequence } of events) {
      this.check('every event is delivered', this.delivered.has(`${runId}.${sequence}`), () => `${name}.${sequence}`);
    }
    const refused =
      outcome?.state === 'rejected' && record.source.kind === 'message' && outcome.reason !== 'ConcurrencyForbidden';
    if (refused) {
      const told = this.world.letters.some(({ attributes }) => attributes['reason'] === outcome.reason);
      this.check('what is rejected is in the dead letters', told, () => name);
    }
    this.checkTruth(record);
  }

  /** What was announced is what happened. */
  private checkTruth(record: RunRecord): void {
    const { runId, name, outcome, attempts, job } = record;
    if (job?.mode === 'session') return;
    const executions = this.world.flink.executions.filter(({ clusterId }) => {
      return attempts.some((attempt) => attempt.clusterId === clusterId);
    });
    const ends = executions.map(({ end }) => end);
    const detail = (): string =>
      `${name}: ${outcome?.state ?? ''} ${outcome?.reason ?? ''}, but Flink: ${ends.join(', ')}`;
    // What a savepoint is worth is for `streams/` to judge.
    if (outcome?.state === 'succeeded' && outcome.reason !== 'StoppedWithSavepoint') {
      this.check('an outcome is true', ends.includes('FINISHED'), detail);
      this.checkFirst(record, executions, detail);
    }
    if (outcome?.reason === 'JobFailed') this.check('an outcome is true', executions.some(hasFailed), detail);
    this.checkMain(record, executions, detail);
    const finished = this.finished.get(runId);
    if (outcome?.state === 'failed' && finished !== undefined && !ranEndless(record, finished)) {
      // Somebody took the cluster before its end was read, or put another one in its place; or the deadline came first.
      const isCopied = attempts.some(({ clusterId }) => this.world.copied.has(clusterId));
      const excused = isCopied || ['ClusterDeleted', 'RunDeadlineExceeded'].includes(outcome.reason);
      this.check('an outcome is true', excused, detail);
    }
  }

  /** Without high availability a second JobManager runs the program again: what it did is no outcome. */
  private checkFirst({ job, attempts }: RunRecord, executions: readonly Execution[], detail: () => string): void {
    const isFirst = attempts.some(
      ({ clusterId }) => executions.find((execution) => execution.clusterId === clusterId)?.end === 'FINISHED',
    );
    this.check('the first JobManager’s word counts', isFirst || hasHighAvailability(job?.options ?? {}), detail);
  }

  /** What is said of main() is what it did. */
  private checkMain(record: RunRecord, executions: readonly Execution[], detail: () => string): void {
    const { outcome, attempts } = record;
    const programs = executions.map(({ clusterId }) => this.world.flink.programOf(clusterId));
    if (outcome?.reason === 'ApplicationFailed') {
      const threw = executions.some((execution) => execution.end === 'FAILED' && execution.threw !== undefined);
      // A plan of it was made, and no more.
      const isPlanned = isHeld(record) && this.world.flink.programOf(attempts[0]?.clusterId ?? '').mainFails === true;
      this.check('an outcome is true', threw || isPlanned, detail);
    }
    if (outcome?.reason === 'MainDeadlineExceeded') {
      const hangs = programs.some(({ main }) => main?.then === 'hangs');
      this.check('an outcome is true', hangs, detail);
    }
    const exits = executions.length === 1 && executions[0]?.threw === 'exit 3';
    if (exits && outcome?.reason === 'JobManagerCrashed') {
      this.check('an exit of main() is no crash', programs[0]?.quiet === true, detail);
    }
  }
}

/** A JobManager that is killed just after its job failed tells no more of main() than that it had not caught it yet. */
function hasFailed({ end, jobs }: Execution): boolean {
  return end === 'FAILED' || (end === undefined && jobs.at(-1)?.end === 'FAILED');
}

function ranEndless(record: RunRecord, { clusterId }: Execution): boolean {
  return isCalledEndless(
    record,
    record.attempts.find((attempt) => attempt.clusterId === clusterId),
  );
}

function isForeign(object: Stored): boolean {
  const { kind, annotations, owners } = object;
  // Whoever died while it admitted a cluster leaves its turn to the next.
  if (object.name === 'flink-dispatch-admission') return true;
  return isTheirs(object) || (kind === 'Deployment' && annotations[RUN_ID] === undefined && owners.length === 0);
}
