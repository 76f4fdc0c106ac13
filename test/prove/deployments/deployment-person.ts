import { deploymentIdFor, type DeploymentId } from '../../../lib/core/ids.ts';
import { isDispatchError } from '../../../lib/core/errors.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Order } from '../../../lib/dispatch/deployment/order.ts';
import { flinkMetadata } from '../../fakes/flink-metadata.ts';
import { FUNCTIONS } from '../functions.ts';
import { Invocation } from '../simulation.ts';
import { OPERATORS } from '../streams/operators.ts';
import { folderOf, tenantOf, type TenantName } from '../tenants.ts';
import type { World } from '../world.ts';
import type { DeploymentScript } from './deployment-script.ts';
import { isSilentIn, Wishes, type Change } from './deployment-wishes.ts';
import type { DeploymentInvariants } from './deployment-invariants.ts';

const MINUTE = 60_000;
const LOOKS_EVERY = 10_000;
/** By then what is wanted has come true, or the record says why not. */
const PATIENCE = 100 * MINUTE;
/** When only the sweeper carries anything on. */
const MORE_PATIENCE = 300 * MINUTE;
/** A suspended deployment is watched for so long. */
const SILENCE = 10 * MINUTE;
const TRIES = 6;
/** Nothing of them is a version any more. */
const OVER: readonly DeploymentRecord['state'][] = ['finished', 'deleted'];
const REST: readonly DeploymentRecord['state'][] = ['running', 'suspended', 'blocked', 'finished', 'deleted'];

/** Between two wishes. */
const BUSY = [200, 3_000, 12_000, 18_000, 25_000, 40_000] as const;
/** For jobs whose load is followed: it takes its time. */
const CALM = [3_000, 25_000, 90_000, 240_000] as const;

/** Whoever wants something of one deployment: changes it some times, waits until it is answered, and puts an end to it. */
export class DeploymentPerson {
  readonly name: string;
  readonly id: DeploymentId;
  isOver = false;
  private readonly world: World;
  private readonly invariants: DeploymentInvariants;
  private readonly wishes: Wishes;
  private readonly tenant: TenantName | undefined;
  private readonly uploads: boolean;
  /** Its first run is one of its own. */
  private readonly isSilent: boolean;
  private since = 0;
  private last: 'suspend' | 'delete' | undefined;
  private lasts = 0;

  constructor(world: World, name: string, invariants: DeploymentInvariants) {
    this.world = world;
    this.name = name;
    this.invariants = invariants;
    const { draws } = world.sim;
    const hasTenants = world.wishes.some(({ tenant }) => tenant !== undefined);
    this.tenant = hasTenants ? tenantOf(draws, name) : undefined;
    const isFree = world.workload.script === undefined;
    this.isSilent = isFree && isSilentIn(draws, name);
    this.uploads = this.isSilent || (isFree && draws.chance(`${name} uploads`, 0.4));
    this.wishes = new Wishes(name, draws, (number) => this.bring(number));
    const namespace = this.tenant === 'beta' ? 'beta' : 'flink';
    this.id = deploymentIdFor({ tenant: this.tenant, target: 'default', namespace, name });
    this.plan();
  }

  private get record(): DeploymentRecord | undefined {
    return this.invariants.records.get(this.id);
  }

  private plan(): void {
    const { sim, workload } = this.world;
    const { draws } = sim;
    if (workload.script !== undefined) return this.follow(workload.script);
    const at = draws.between(`${this.name} at`, 0, 3_000);
    if (!this.isSilent) return this.planFrom(0, at);
    sim.after(at, () => {
      this.change(0);
      this.whenItRuns(0, (runs) => (runs ? this.planFrom(1, 0) : this.putAnEnd()));
    });
  }

  /** Flink has been asked how it runs the job; until then the next version would run beside it. */
  private whenItRuns(looks: number, then: (runs: boolean) => void): void {
    this.world.sim.after(2_000, () => {
      const run = this.world.invariants.recordNamed(this.name);
      const isKnown = run?.state === 'running' && run.attempts.at(-1)?.runtime !== undefined;
      const isOver = run === undefined ? !this.isOnItsWay && looks > 30 : run.outcome !== undefined || looks > 900;
      if (isKnown || isOver) return then(isKnown);
      this.whenItRuns(looks + 1, then);
    });
  }

  private planFrom(first: number, from: number): void {
    const { sim, workload } = this.world;
    const { draws } = sim;
    let at = from;
    const count = draws.whole(`${this.name} changes`, 3, workload.losesRunMessages ? 4 : 12);
    for (let number = first; number <= count; number += 1) {
      const burst = number > 0 && draws.chance(`${this.name} burst ${number}`, 0.08) ? 10 : 1;
      for (let n = 0; n < burst; n += 1) {
        const [of, time] = [number * 10 + n, at];
        sim.after(time, () => this.change(of));
        at += draws.between(`${this.name} burst ${number} ${n}`, 100, 1_500);
      }
      at += draws.pick<number>(`${this.name} pause ${number}`, this.wishes.follows ? CALM : BUSY);
    }
    sim.after(at, () => this.waitFor(() => this.putAnEnd()));
  }

  private follow({ steps, onStep, onAnswer }: DeploymentScript): void {
    const step = (number: number): void => {
      const changes = steps[number];
      if (changes === undefined) {
        onAnswer(this.record);
        return this.putAnEnd();
      }
      onStep(number);
      this.wantInTurn(changes, 10 * number, () => this.waitFor(() => step(number + 1)));
    };
    this.world.sim.after(0, () => step(0));
  }

  private wantInTurn([change, ...rest]: readonly Change[], number: number, then: () => void): void {
    if (change === undefined) return then();
    const before = this.record?.wanted ?? 0;
    this.want(change, number);
    const look = (): void => {
      if ((this.record?.wanted ?? 0) > before) this.wantInTurn(rest, number + 1, then);
      else this.world.sim.after(100, look);
    };
    look();
  }

  private change(number: number): void {
    this.want(this.wishes.next(number), number);
  }

  private want(change: Change, number: number): void {
    // What comes after the end of its job is a run of its own again.
    if (this.isSilent && this.record !== undefined && OVER.includes(this.record.state)) return;
    this.since = this.world.sim.now;
    if (change.kind === 'order') return this.order(change.order, `${this.name} order ${number}`, 1);
    if (this.uploads) this.upload(change.spec, number);
    else this.message(change.spec, number);
  }

  private message(spec: Readonly<Record<string, unknown>>, number: number): void {
    const { world } = this;
    const job = { ...(spec['job'] as object), jarURI: this.jarFor(number) };
    const body = JSON.stringify({ spec: { ...spec, job }, idempotencyKey: `${this.name} ${number}` });
    world.sim.tell('user', `sends ${body}`);
    const queue = this.tenant === 'beta' ? world.betaQueue : world.jobQueue;
    queue.send(body, 0);
    if (world.workload.script === undefined && world.sim.draws.chance(`${this.name} again ${number}`, 0.2))
      queue.send(body, 4_000);
  }

  /** Another jar is sent to a JobManager than is in its image. */
  private jarFor(number: number): string {
    if (!this.wishes.isPrepared && this.world.workload.script === undefined) return 'local:///opt/job.jar';
    const key = `${folderOf(this.tenant)}${this.name}.jar`;
    this.world.jars.storeVersion(key, number);
    return `s3://jars/${key}`;
  }

  /** S3 tells of uploads in any order, and more than once. */
  private upload(spec: Readonly<Record<string, unknown>>, number: number): void {
    const { s3, jars, sim, uploadQueue } = this.world;
    const key = `${folderOf(this.tenant)}${this.name}.jar`;
    s3.store(`jars/${key}.job.yaml`, JSON.stringify(spec));
    jars.storeVersion(key, number);
    const eTag = s3.objects.get(`jars/${key}`)?.eTag.replaceAll('"', '');
    const object = { key, size: 1, eTag, sequencer: `0055AED6DCD9${String(number).padStart(6, '0')}` };
    const event = { eventName: 'ObjectCreated:Put', eventTime: '2026-11-21T06:00:00Z', eventSource: 'aws:s3' };
    const body = JSON.stringify({ Records: [{ ...event, s3: { bucket: { name: 'jars' }, object } }] });
    sim.tell('user', `uploads version ${number} of ${this.name}: ${JSON.stringify(spec)}`);
    const isLate = sim.draws.chance(`${this.name} late ${number}`, 0.15);
    uploadQueue.send(body, isLate ? sim.draws.between(`${this.name} late ${number} by`, 2_000, 60_000) : 0);
    if (sim.draws.chance(`${this.name} again ${number}`, 0.2)) uploadQueue.send(body, 30_000);
  }

  /** The same again, until it is taken or refused. */
  private order(order: Order, once: string, tries: number): void {
    const { sim } = this.world;
    const invocation = new Invocation(`${once} try ${tries}`);
    sim.tell(invocation.label, JSON.stringify(order));
    let isSettled = false;
    const settle = (again: boolean): void => {
      if (isSettled) return;
      isSettled = true;
      invocation.alive = false;
      if (again && tries < TRIES) sim.after(2_000, () => this.order(order, once, tries + 1));
    };
    sim.after(30_000, () => {
      if (!isSettled) sim.kill(invocation, 'has no more time');
      settle(true);
    });
    FUNCTIONS.order(this.world, this.id, order, once, invocation).then(
      () => invocation.alive && settle(false),
      (error: unknown) => {
        sim.tell(invocation.label, `fails: ${String(error)}`);
        settle(!(isDispatchError(error) && error.class === 'user'));
      },
    );
  }

  /** State that comes from elsewhere; now and then it is not there. */
  private bring(number: number): string {
    const path = `s3://state/mine/${this.name}-${number}`;
    const { sim, streams } = this.world;
    if (!sim.draws.chance(`${path} is missing`, 0.15)) {
      streams.truth.bring(path, 10_000 * (number + 1), flinkMetadata(10_000 * (number + 1), OPERATORS));
    }
    return path;
  }

  /** I8: until what is wanted is reached, or an outcome names why not. */
  private waitFor(then: () => void): void {
    const { sim, workload, invariants, kubernetes } = this.world;
    const patience = workload.losesRunMessages ? MORE_PATIENCE : PATIENCE;
    sim.after(LOOKS_EVERY, () => {
      if (this.isAnswered()) return then();
      if (this.lacksRoom(patience)) return this.endOthers(() => this.waitFor(then));
      // Without rights nothing is proven gone.
      const isLate = sim.now - Math.max(this.since, kubernetes.forbiddenUntil) > patience;
      invariants.check('I8: what is wanted is reached, or it is said why not', !isLate, () => this.standing());
      if (!isLate) this.waitFor(then);
    });
  }

  /** Its run waits for room, which runs of its name may have that say nothing and are none of its own: so somebody ends them. */
  private lacksRoom(patience: number): boolean {
    const { run } = this.record ?? {};
    if (!this.isSilent || run === undefined || this.world.sim.now - this.since < patience / 2) return false;
    return this.invariants.runs.get(run.id)?.waiting?.reason === 'QuotaExceeded';
  }

  private get isOnItsWay(): boolean {
    const { jobQueue, betaQueue, uploadQueue } = this.world;
    return [jobQueue, betaQueue, uploadQueue].some(({ size }) => size > 0);
  }

  private isAnswered(): boolean {
    const { record, world, isOnItsWay } = this;
    // All that was ever asked for may have been lost.
    if (record === undefined) return !isOnItsWay && world.sim.now - this.since > MINUTE;
    const { state, wanted, reached, settled } = record;
    return !isOnItsWay && REST.includes(state) && (reached === wanted || settled?.generation === wanted);
  }

  private standing(): string {
    const { state, wanted, reached, settled, run, stepError } = this.record ?? {};
    return `${this.name} is ${state ?? 'not there'}: ${JSON.stringify({ wanted, reached, settled, run, stepError })}`;
  }

  private putAnEnd(): void {
    const { sim } = this.world;
    const { record } = this;
    if (record === undefined) return this.endOthers(() => this.rest());
    if (this.isAtRest(record)) return this.endOthers(() => this.watch());
    this.since = sim.now;
    this.lasts += 1;
    // A stream that gives no savepoint cannot be suspended.
    const { script } = this.world.workload;
    const isPatient =
      script === undefined && this.lasts <= 2 && sim.draws.chance(`${this.name} is suspended last`, 0.35);
    this.last = isPatient ? 'suspend' : 'delete';
    const purge = sim.draws.chance(`${this.name} purges`, 0.5);
    const order: Order = this.last === 'suspend' ? { kind: 'suspend' } : { kind: 'delete', purge };
    this.order(order, `${this.name} last at ${Math.round(sim.elapsed)}`, 1);
    this.waitFor(() => sim.after(LOOKS_EVERY, () => this.waitFor(() => this.putAnEnd())));
  }

  /** Runs that were never one of its deployment's. */
  private endOthers(then: () => void): void {
    const { sim, invariants } = this.world;
    const others = [...invariants.records.values()].filter(
      ({ name, deployment, state }) => name === this.name && deployment === undefined && state !== 'closed',
    );
    if (others.length === 0) return then();
    for (const { runId } of others) {
      const invocation = new Invocation(`cancel ${runId} at ${Math.round(sim.elapsed)}`);
      sim.after(30_000, () => sim.kill(invocation, 'has no more time'));
      FUNCTIONS.cancel(this.world, runId, invocation).catch((error: unknown) =>
        sim.tell(invocation.label, `failed: ${String(error)}`),
      );
    }
    sim.after(LOOKS_EVERY, () => this.endOthers(then));
  }

  /** Nothing of it runs or is being removed, and nobody will begin anything. */
  private isAtRest({ state, run, next, leaving }: DeploymentRecord): boolean {
    if (next !== undefined || leaving !== undefined) return false;
    return run === undefined && (state === (this.last === 'delete' ? 'deleted' : 'suspended') || state === 'finished');
  }

  private watch(): void {
    this.invariants.beginSilence(this.id);
    this.world.sim.after(SILENCE, () => this.rest());
  }

  private rest(): void {
    this.invariants.endSilence(this.id);
    this.isOver = true;
  }
}
