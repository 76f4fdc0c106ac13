import type { DeploymentId, RunId } from '../../../lib/core/ids.ts';
import { canonicalJson } from '../../../lib/core/json.ts';
import { parseDeployment, parseDeploymentRequest } from '../../../lib/deployment/record-schema.ts';
import { generationOf, type DeploymentRecord, type DeploymentRequest } from '../../../lib/deployment/record.ts';
import { deploymentEventSchema, type PublicDeploymentEvent } from '../../../lib/outcome/deployment-schema.ts';
import { isHeld } from '../../../lib/run/prepared.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { isOlder } from '../../../lib/trigger/s3-event.ts';
import { LEDGER } from '../functions.ts';
import type { Execution } from '../servers/flink.ts';
import type { Stored } from '../servers/kubernetes-objects.ts';
import type { Put } from '../servers/s3.ts';
import type { Invocation } from '../simulation.ts';
import type { World } from '../world.ts';
import { checkDeploymentChange, checkDeploymentShape } from './deployment-shape.ts';
import { PreparedInvariants } from './prepared-invariants.ts';
import { RescaleInvariants } from './rescale-invariants.ts';
import { SnapshotInvariants } from './snapshot-invariants.ts';

const RUN_ID = 'flink-dispatch.io/run-id';
const RECORD = /^deployments\/([0-9a-f]{20})\/record\.json$/;
const REQUEST = /^deployments\/[0-9a-f]{20}\/requests\/[0-9a-f]{20}\.json$/;
/** Of a run: a look is still to come that finds whatever is made of its last attempt. */
const LOOKED_FOR: readonly RunRecord['state'][] = ['launching', 'starting', 'running', 'ended'];

/** What must hold of deployments: I1 to I12 of `docs/reliability.md`, judged at every write, event and start. */
export class DeploymentInvariants {
  readonly records = new Map<DeploymentId, DeploymentRecord>();
  readonly requests = new Map<RunId, DeploymentRequest>();
  /** Of deployments. */
  readonly runs = new Map<RunId, RunRecord>();
  private readonly snapshots: SnapshotInvariants;
  private readonly prepared: PreparedInvariants;
  private readonly rescales: RescaleInvariants;
  private readonly world: World;
  private readonly events = new Map<string, string>();
  private readonly named = new Set<RunId>();
  /** Runs that were none of a deployment when they began. */
  private readonly adopted = new Set<RunId>();
  /** Uids of Deployments that came when their attempt was no longer looked for. */
  private readonly late = new Set<string>();
  /** Messages that functions sent to one another in a time in which nothing is wanted. */
  private readonly silence = new Map<DeploymentId, string[]>();

  constructor(world: World) {
    this.world = world;
    this.snapshots = new SnapshotInvariants(world, this);
    this.prepared = new PreparedInvariants(world, this);
    this.rescales = new RescaleInvariants(world, this);
    const { s3, bus, flink, kubernetes } = world;
    const { onPut } = s3;
    s3.onPut = (put) => {
      onPut(put);
      this.onPut(put);
    };
    const { onEvent } = bus;
    bus.onEvent = (event, by) => {
      onEvent(event, by);
      if (event.type.startsWith('io.flink-dispatch.deployment.')) this.onEvent(event);
    };
    const { onStart } = flink;
    flink.onStart = (execution) => {
      onStart(execution);
      this.onStart(execution);
    };
    kubernetes.watchers.push({
      created: (object) => this.noteLate(object),
      deleted: () => undefined,
      gone: () => undefined,
    });
  }

  /** Runs that took another one's place, and ran. */
  get upgrades(): number {
    return [...this.events.values()].filter((text) => /deployment\.(upgraded|rolled-back)\./.test(text)).length;
  }

  get rescaled(): number {
    return this.rescales.count;
  }

  check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }

  runsOf(id: DeploymentId): readonly RunRecord[] {
    return [...this.runs.values()].filter(({ deployment }) => deployment?.id === id);
  }

  private onPut(put: Put): void {
    const { key, text } = put;
    if (RECORD.test(key)) {
      const next = this.world.invariants.read(key, () => parseDeployment(text));
      if (next !== undefined) this.onRecord(put, next);
      return;
    }
    if (REQUEST.test(key)) {
      const request = this.world.invariants.read(key, () => parseDeploymentRequest(text));
      if (request !== undefined) this.requests.set(request.requestId, request);
      return;
    }
    const run = this.world.invariants.recordOf(put);
    if (run?.deployment !== undefined && this.records.has(run.deployment.id)) this.onRun(run);
  }

  // ── the record ──

  private onRecord({ before, by }: Put, next: DeploymentRecord): void {
    const last = this.records.get(next.id);
    this.check('every write of a record is seen', (last === undefined) === (before === undefined), () => next.name);
    this.records.set(next.id, next);
    const { state, wanted, reached, run } = next;
    this.world.sim.tell('ledger', `${next.name} is ${state}, ${reached} of ${wanted} (${by})`);
    const check = this.check.bind(this);
    const isDelivered = (id: string): boolean => this.events.has(id);
    checkDeploymentShape(check, next, isDelivered);
    if (last !== undefined) checkDeploymentChange(check, last, next, isDelivered);
    this.checkUploads(next);
    this.checkRollbacks(next, last);
    this.rescales.onRecord(next, last);
    if (last?.run !== undefined && last.run.id !== run?.id) this.checkGone(last.run.id, next);
    if (last !== undefined) this.prepared.onRecord(next, last);
    if (run !== undefined) this.named.add(run.id);
    if (run?.adopted !== undefined) this.adopted.add(run.id);
    if (next.next !== undefined) this.named.add(next.next.id);
    if (state === 'suspended' || state === 'deleted') this.checkSuspended(next);
  }

  /** I10: by itself once, from where it began itself, and never past the first checkpoint of what is rolled back. */
  private checkRollbacks(record: DeploymentRecord, last: DeploymentRecord | undefined): void {
    const { name, run, generations } = record;
    const own = generations.filter(({ by }) => by.startsWith('rollback of'));
    const of = own.map(({ rollbackOf }) => rollbackOf);
    this.check(
      'I10: a generation is rolled back once',
      new Set(of).size === of.length,
      () => `${name}: ${of.join(' ')}`,
    );
    const back = own.find(({ number }) => number === run?.generation);
    if (back === undefined || run === undefined || run.id === last?.run?.id) return;
    const failed = this.runsOf(record.id).filter(({ deployment }) => deployment?.generation === back.rollbackOf);
    const from = failed.at(-1)?.startFrom?.path;
    this.check(
      'I10: a rollback begins where the upgrade began',
      from === run.startFrom?.path,
      () => `${name}: ${from ?? ''}`,
    );
    const jobs: readonly string[] = failed.flatMap(({ attempts }) => attempts.map(({ jobId }) => jobId));
    const state = this.world.streams.truth.completedBy(jobs);
    this.check(
      'I10: nothing is rolled back past its first checkpoint',
      state === undefined,
      () => `${name}: ${state ?? ''}`,
    );
  }

  /** I9: of the uploads of a key the newest is wanted. */
  private checkUploads(record: DeploymentRecord): void {
    const sequencerOf = (number: number): string | undefined => {
      const request = this.requestOf(record, number);
      return request?.source.kind === 'jar-upload' && request.sameJob === undefined
        ? request.source.sequencer
        : undefined;
    };
    const wanted = sequencerOf(record.wanted);
    if (wanted === undefined) return;
    for (const { number } of record.generations) {
      const other = sequencerOf(number);
      const isNewest = other === undefined || !isOlder(wanted, other);
      this.check(
        'I9: an older upload never takes the place of a newer one',
        isNewest,
        () => `${number} in ${record.name}`,
      );
    }
  }

  requestOf(record: DeploymentRecord, number: number): DeploymentRequest | undefined {
    return this.requests.get(generationOf(record, number)?.requestId ?? ('' as RunId));
  }

  /** I1: by its record, and by what is there. */
  private checkGone(runId: RunId, record: DeploymentRecord): void {
    // One that it was to take over may have ended as one of its own.
    const run = this.runs.get(runId) ?? this.world.invariants.records.get(runId);
    const isGone = run?.state === 'closed' || (run !== undefined && this.prepared.mayLeave(run, record));
    this.check('I1: a run is proven gone before another is named', isGone, () => `${record.name}: ${runId}`);
  }

  /**
   * I11: of its runs nothing is left that a look could find. A request to make a cluster of which no answer came may be
   * carried out after the last look. Such a cluster gets no permit ('no cluster starts after the end'), and the sweeper
   * removes it ('everything comes to its end').
   */
  private checkSuspended({ id, name, run, state }: DeploymentRecord): void {
    const open = this.runsOf(id).filter(({ state }) => state !== 'closed');
    this.check(`I11: what is ${state} is gone`, run === undefined && open.length === 0, () => name);
    const ids = this.runsOf(id).map(({ runId }) => runId as string);
    const left = this.world.kubernetes
      .all('Deployment')
      .filter(({ annotations }) => ids.includes(annotations[RUN_ID] ?? ''))
      .filter(({ name: of, uid }) => !this.world.copied.has(of) && !this.late.has(uid));
    this.check(`I11: what is ${state} is gone`, left.length === 0, () => left.map(({ name: of }) => of).join(', '));
  }

  private noteLate({ kind, name, uid, annotations }: Stored): void {
    const run = kind === 'Deployment' ? this.runs.get((annotations[RUN_ID] ?? '') as RunId) : undefined;
    if (run === undefined) return;
    const isLookedFor = LOOKED_FOR.includes(run.state) && run.attempts.at(-1)?.clusterId === name;
    if (!isLookedFor) this.late.add(uid);
  }

  // ── runs ──

  private onRun(run: RunRecord): void {
    const last = this.runs.get(run.runId);
    this.runs.set(run.runId, run);
    if (last === undefined) {
      this.check('I2: a run is named before it is made', this.named.has(run.runId), () => run.runId);
      if (run.prepared === undefined && !this.adopted.has(run.runId)) this.snapshots.onMade(run);
    }
    if (run.prepared !== undefined && !isHeld(run) && (last === undefined || isHeld(last))) {
      this.snapshots.onMade(run);
      this.prepared.onPermit(run);
    }
    this.checkStarts(run, last);
    this.checkStops(run, last);
    this.rescales.onRun(run);
  }

  private checkStarts(run: RunRecord, last: RunRecord | undefined): void {
    // What it began from was decided before it was the deployment's.
    const isAdopted = this.adopted.has(run.runId);
    for (const [index, attempt] of run.attempts.entries()) {
      const before = last?.attempts.find(({ number }) => number === attempt.number);
      const first = index === 0 && !isAdopted ? run.startFrom : attempt.restoredFrom;
      // With the permit, in one write.
      const isKnown = before !== undefined && (last === undefined || !isHeld(last));
      const wanted = isKnown ? before.restoredFrom : first;
      this.check(
        'I2: what an attempt begins from is decided once',
        attempt.restoredFrom?.path === wanted?.path,
        () => `${run.name} attempt ${attempt.number}: ${attempt.restoredFrom?.path ?? ''}, not ${wanted?.path ?? ''}`,
      );
    }
  }

  /** I12: only a wish ends a run, or a person. */
  private checkStops(run: RunRecord, last: RunRecord | undefined): void {
    const asks = (it: RunRecord | undefined): boolean =>
      it?.stopRequested !== undefined || it?.cancelRequested !== undefined;
    if (!asks(run) || asks(last) || run.deployment === undefined) return;
    const { by = '' } = run.stopRequested ?? run.cancelRequested ?? {};
    if (by !== `deployment ${run.deployment.id}`) return;
    const record = this.records.get(run.deployment.id);
    const { stop } = record?.run?.id === run.runId ? record.run : {};
    const isWanted = stop !== undefined || (record?.next?.id === run.runId && record.next.dropped === true);
    this.check('I12: a run is stopped only for what is wanted', isWanted, () => `${run.name}: ${run.runId}`);
  }

  /** I1: a cluster that comes late has no permit. */
  private onStart({ clusterId }: Execution): void {
    const { annotations = {} } = this.world.kubernetes.find('Deployment', clusterId) ?? {};
    const run = this.runs.get((annotations[RUN_ID] ?? '') as RunId);
    if (run?.deployment === undefined) return;
    const others = this.runsOf(run.deployment.id).filter(({ runId }) => runId !== run.runId);
    const open = others.filter((other) => other.state !== 'closed' && !this.prepared.isOver(other));
    this.check('I1: no run begins before the last one is proven gone', open.length === 0, () => clusterId);
    this.prepared.onStart(run, others);
  }

  // ── events and messages ──

  private onEvent(given: unknown): void {
    const event = this.world.invariants.read('a deployment’s event', () => deploymentEventSchema.parse(given));
    if (event === undefined) return;
    const { id, subject } = event;
    const text = canonicalJson(event);
    const first = this.events.get(id);
    this.check(
      'I7: an event is always the same',
      (first ?? text) === text,
      () => `${id}: ${first ?? ''} became ${text}`,
    );
    this.events.set(id, text);
    if (first === undefined) this.checkOrder(event, this.records.get(subject as DeploymentId));
  }

  private checkOrder({ id, subject, data }: PublicDeploymentEvent, record: DeploymentRecord | undefined): void {
    const { sequence } = data;
    const isRecorded = record?.events.some((entry) => entry.sequence === sequence) === true;
    this.check('I7: recorded before published', isRecorded, () => id);
    const isNext = sequence === 1 || this.events.has(`${subject}.${sequence - 1}`);
    this.check('I7: events are told in their order', isNext, () => id);
  }

  onMessage(id: DeploymentId, by: Invocation): void {
    if (!by.label.startsWith('sweep ')) this.silence.get(id)?.push(by.label);
  }

  /** From here on nobody wants anything. */
  beginSilence(id: DeploymentId): void {
    this.silence.set(id, []);
  }

  /** What was under way may still have been said. */
  endSilence(id: DeploymentId): void {
    const said = this.silence.get(id) ?? [];
    this.check('I11: what is suspended needs no messages', said.length <= 3, () => said.join('; '));
  }

  // ── the end ──

  atRest(id: DeploymentId): void {
    const record = this.records.get(id);
    if (record === undefined) return;
    const untold = Array.from({ length: record.sequence }, (_, n) => `${id}.${n + 1}`).filter(
      (it) => !this.events.has(it),
    );
    this.check('I7: every event is delivered', untold.length === 0, () => untold.join(', '));
    this.snapshots.atRest(record);
    this.rescales.atRest(record);
    const marker = this.world.s3.objects.has(`${LEDGER}/live-deployments/${id}`);
    this.check('a deployment that may go on has its marker', marker || record.state !== 'suspended', () => record.name);
  }
}
