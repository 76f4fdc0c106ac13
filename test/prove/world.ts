import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { parseUploadEvent } from '../../lib/trigger/s3-event.ts';
import { parseScheduleEvent } from '../../lib/trigger/schedule.ts';
import type { RunRequest } from '../../lib/trigger/request.ts';
import { defined } from '../../lib/core/defined.ts';
import { runIdFor, type RunId } from '../../lib/core/ids.ts';
import type { DispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { DispatchDeps } from '../../lib/dispatch/deps.ts';
import { withTenant } from '../../lib/job/config/tenants.ts';
import { Gates } from './attempts/gates.ts';
import { Remedies } from './attempts/remedies.ts';
import { AttemptInvariants } from './attempts/invariants.ts';
import { CallbackInvariants } from './callbacks/invariants.ts';
import { hasTask, tokenOf } from './callbacks/tasks.ts';
import { LockInvariants } from './locks/invariants.ts';
import { Draws } from './draws.ts';
import { EventBus } from './servers/event-bus.ts';
import { FaultPlan, type Fault, type Script } from './faults.ts';
import { Flink, type Program } from './servers/flink.ts';
import { FUNCTIONS, LEDGER, LETTERS_URL, messageName, RUNS_URL, type ScheduledCall } from './functions.ts';
import { isRunMessage, parseQueueMessage } from '../../lib/run/store/run-queue.ts';
import { Invariants, type Violation } from './invariants.ts';
import { Jars } from './jars.ts';
import { Kubernetes } from './servers/kubernetes.ts';
import type { Stored } from './servers/kubernetes-objects.ts';
import { letMonthsGoBy } from './attempts/months.ts';
import { MemoryS3 } from './servers/s3.ts';
import { SessionWorld } from './sessions/session-world.ts';
import { DeploymentWorld } from './deployments/deployment-world.ts';
import { StreamWorld } from './streams/stream-world.ts';
import { Streams, type Conduct } from './streams/streams.ts';
import { Invocation, Simulation, type Told } from './simulation.ts';
import { MemoryQueue, type Sent } from './servers/sqs.ts';
import { StepFunctions } from './servers/step-functions.ts';
import { archivesIn, deploymentOf, folderOf, jobsFolderOf, QUEUES, TenantInvariants } from './tenants.ts';
import { canceledAsMade, comesWithSweep, programOf, workloadOf, type Wish, type Workload } from './workload.ts';

export interface Plan {
  readonly seed: number;
  /** Exactly these faults; by chance when absent. */
  readonly faults?: readonly Fault[];
  readonly script?: Script;
  /** Of every run, by attempt, the last one for all further ones; drawn when absent. */
  readonly programs?: readonly Program[];
  /** Milliseconds for which a function waits by itself; default 15 000. */
  readonly inlineWait?: number;
  /** By default that of `tenants.ts`. */
  readonly deployment?: DispatchConfig;
  /** By default those of the seed. */
  readonly draws?: Draws;
  /** What is asked for; drawn when absent. */
  readonly workload?: Workload;
  /** Nothing is asked for but that. */
  readonly only?: 'deployments' | undefined;
  /** Names of the wishes that are made; all when absent. */
  readonly wishes?: readonly string[];
  readonly tells?: boolean;
}

export interface Result {
  readonly seed: number;
  readonly wishes: readonly string[];
  readonly faults: readonly Fault[];
  /** With listed faults: all that could have struck. */
  readonly possible: readonly Fault[];
  readonly violations: readonly Violation[];
  readonly story: readonly Told[];
  /** Effects and other steps. */
  readonly steps: number;
  /** Runs that were accepted. */
  readonly runs: number;
  /** Runs that took the place of another one of their deployment, and ran. */
  readonly upgrades: number;
  /** Jobs that were given another parallelism while they ran. */
  readonly rescales: number;
  /** Of the world's time. */
  readonly elapsed: number;
}

const MINUTE = 60_000;
const SWEEP_EVERY = MINUTE;
/** By now every world has come to rest. */
const LIMIT = 8 * 60 * MINUTE;
const MOST_STEPS = 60_000;
/** How often EventBridge Scheduler and Lambda try, and how long they wait. */
const SCHEDULE_TRIES = 5;

/** The whole product, and everything that it runs on, in one thread and in time of its own. */
export class World {
  readonly sim: Simulation;
  readonly workload: Workload;
  readonly wishes: readonly Wish[];
  readonly s3: MemoryS3;
  readonly bus: EventBus;
  readonly tasks: StepFunctions;
  readonly callbacks: CallbackInvariants;
  readonly kubernetes: Kubernetes;
  readonly flink: Flink;
  readonly letters: Sent[] = [];
  readonly runQueue: MemoryQueue;
  readonly jobQueue: MemoryQueue;
  /** Job messages of the second tenant. */
  readonly betaQueue: MemoryQueue;
  readonly uploadQueue: MemoryQueue;
  /** Run ids by the name of the wish. */
  readonly expected = new Map<string, RunId>();
  readonly invariants: Invariants;
  readonly locks: LockInvariants;
  readonly sessions: SessionWorld;
  readonly jars: Jars;
  readonly streams: Streams;
  private readonly handmade: StreamWorld;
  readonly deployments: DeploymentWorld;
  /** Deployments that somebody made anew, of the same text. */
  readonly copied = new Set<string>();
  /** What `advance-run` is called with in place of its own. */
  adapt: (deps: DispatchDeps) => DispatchDeps = (deps) => deps;
  /** Of uploads, as their events say. */
  private readonly eTags = new Map<string, string>();
  private readonly plan: Plan;
  private pending = 0;
  private sweeps = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    const draws = plan.draws ?? new Draws(plan.seed);
    this.workload = plan.workload ?? workloadOf(draws, plan.only);
    const { rate, mostFaults: most } = this.workload;
    const faults = new FaultPlan(draws, { rate, most, ...defined({ list: plan.faults, script: plan.script }) });
    this.sim = this.simulation(draws, faults, plan.tells === true);
    this.wishes = this.workload.wishes.filter(({ name }) => plan.wishes?.includes(name) ?? true);
    this.s3 = new MemoryS3(this.sim);
    this.bus = new EventBus(this.sim);
    this.tasks = new StepFunctions(this.sim);
    this.kubernetes = new Kubernetes(this.sim);
    this.kubernetes.quota = this.workload.quota;
    this.flink = new Flink(this.sim, this.kubernetes);
    this.flink.programOf = (clusterId) => {
      const [, name = '', attempt = '1'] = /^(.*)-[0-9a-f]{10}-(\d+)$/.exec(clusterId) ?? [];
      const stream = this.deployments.programOf(clusterId) ?? this.handmade.programOf(name, Number(attempt));
      return stream ?? this.programOf(name, Number(attempt));
    };
    this.runQueue = this.queue('runs', 5, 60_000, 360_000, FUNCTIONS.advanceRun);
    this.jobQueue = this.queue('jobs', 10, 30_000, 180_000, FUNCTIONS.onMessage);
    this.betaQueue = this.queue('jobs-beta', 10, 30_000, 180_000, FUNCTIONS.onMessage);
    this.uploadQueue = this.queue('uploads', 10, 30_000, 180_000, FUNCTIONS.onJarUpload);
    for (const [path, text] of archivesIn(LEDGER)) this.s3.store(path, text);
    this.invariants = new Invariants(this);
    this.sessions = new SessionWorld(this);
    this.jars = new Jars(this);
    this.streams = new Streams(this, (clusterId) => this.conductOf(clusterId));
    this.handmade = new StreamWorld(this);
    this.deployments = new DeploymentWorld(this);
    new TenantInvariants(this);
    new AttemptInvariants(this);
    new Remedies(this);
    new Gates(this);
    this.locks = new LockInvariants(this);
    this.callbacks = new CallbackInvariants(this);
  }

  /** What the program of a run does, in one of its attempts. */
  programOf(name: string, attempt: number): Program {
    const given = this.plan.programs?.[attempt - 1] ?? this.plan.programs?.at(-1);
    const streams = this.workload.wishes.some((wish) => wish.name === name && wish.streams);
    return given ?? programOf(this.sim.draws, name, attempt, streams);
  }

  private conductOf(clusterId: string): Conduct | undefined {
    return this.deployments.conductOf(clusterId) ?? this.handmade.conductOf(clusterId);
  }

  get deployment(): DispatchConfig | undefined {
    return this.plan.deployment;
  }

  protected simulation(draws: Draws, faults: FaultPlan, tells: boolean): Simulation {
    return new Simulation(draws, faults, tells);
  }

  get inlineWait(): number {
    return this.plan.inlineWait ?? 15_000;
  }

  /** SendMessage of a function. */
  sent(sent: Sent, by: Invocation): () => void {
    if (sent.queue === LETTERS_URL) return () => this.letters.push(sent);
    if (sent.queue !== RUNS_URL) throw new Error(`nobody reads ${sent.queue}`);
    const loses = this.workload.losesRunMessages && !by.label.startsWith('sweep ');
    const message = parseQueueMessage(sent.body);
    if (isRunMessage(message)) this.invariants.onRunMessage(this.runQueue, sent.body, by);
    // Runs that are made by hand belong to none.
    else if (!this.deployments.isThere(message.deployment)) return () => undefined;
    else this.deployments.onMessage(message.deployment, by);
    return () => this.runQueue.send(sent.body, sent.delay, {}, loses);
  }

  async live(): Promise<void> {
    for (const wish of this.wishes) this.make(wish);
    this.planSweep();
    this.planMeddling();
    while (this.invariants.violations.length === 0) {
      if (this.sim.elapsed - this.sim.skipped > LIMIT || this.sim.steps > MOST_STEPS) {
        this.invariants.atLimit();
        return;
      }
      if (!(await this.sim.step())) return;
      if (this.atRest) break;
    }
    if (this.invariants.violations.length > 0) return;
    this.invariants.atRest();
    this.sessions.invariants.atRest();
    this.deployments.atRest();
    this.callbacks.atRest();
  }

  /** Nothing is on its way, and nobody is left to do anything. */
  get isQuiet(): boolean {
    const queues = [this.runQueue, this.jobQueue, this.betaQueue, this.uploadQueue];
    return (
      this.pending === 0 &&
      this.handmade.isOver &&
      this.deployments.isOver &&
      queues.every(({ size }) => size === 0) &&
      this.invariants.nothingIsLeft()
    );
  }

  private atRest = false;

  private queue(
    name: string,
    batchSize: number,
    timeout: number,
    visibility: number,
    handler: (
      world: World,
      event: Parameters<(typeof FUNCTIONS)['onMessage']>[1],
      by: Invocation,
    ) => Promise<{ readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }>,
  ): MemoryQueue {
    return new MemoryQueue(this.sim, {
      name,
      arn: QUEUES + name,
      batchSize,
      timeout,
      visibility,
      maxReceives: 5,
      handler: (event, invocation) => handler(this, event, invocation),
      nameOf:
        name === 'runs'
          ? messageName
          : (body) =>
              /"name":"([rd]\d)"|(?:jars|beta)\/([rd]\d)/
                .exec(body)
                ?.slice(1)
                .find((name) => name !== undefined) ?? 'request',
    });
  }

  private make(wish: Wish): void {
    const { sim } = this;
    const sources: Record<Wish['kind'], (send: number) => void> = {
      message: () => this.message(wish),
      upload: (send) => this.upload(wish, send),
      schedule: (send) => this.schedule(wish, send),
    };
    for (let send = 0; send < wish.sends; send += 1) {
      this.later(wish.at + send * sim.draws.between(`${wish.name} again`, 0, 30_000), () => sources[wish.kind](send));
    }
    this.planStranger(wish);
    this.planNextTask(wish);
    if (wish.conflicts) this.later(wish.at + 5_000, () => this.conflict(wish));
    this.planAgain(wish);
    wish.cancels.forEach((at, index) => this.later(at, () => this.cancel(wish, index)));
    let asked = wish.cancels.length;
    if (wish.lastsMonths === true) letMonthsGoBy(this, wish.name, () => this.cancel(wish, asked++));
  }

  private later(at: number, act: () => void): void {
    this.pending += 1;
    this.sim.after(at, () => {
      this.pending -= 1;
      act();
    });
  }

  private hasTask(wish: Wish): boolean {
    return this.plan.workload === undefined && hasTask(this.sim.draws, wish);
  }

  /** A state machine begins the task anew, which asks for the same run with another token. */
  private planNextTask(wish: Wish): void {
    const { draws } = this.sim;
    if (!this.hasTask(wish) || wish.idempotencyKey === undefined || !draws.chance(`${wish.name} task again`, 0.5))
      return;
    this.later(wish.at + draws.between(`${wish.name} task again at`, 0, 300_000), () => this.message(wish, 2));
  }

  private message(wish: Wish, turn: 1 | 2 = 1): void {
    const spec = this.specOf(wish);
    const { idempotencyKey } = wish;
    const taskToken = this.hasTask(wish) ? tokenOf(wish, turn) : undefined;
    if (taskToken !== undefined) this.callbacks.onSent(taskToken, wish.name);
    const isBare = idempotencyKey === undefined && taskToken === undefined;
    const body = JSON.stringify(isBare ? spec : { spec, ...defined({ idempotencyKey, taskToken }) });
    this.sim.tell('user', `sends ${wish.name}: ${body}`);
    const [queue, arn] = wish.tenant === 'beta' ? [this.betaQueue, 'jobs-beta'] : [this.jobQueue, 'jobs'];
    queue.send(body, 0);
    const record = { messageId: wish.name, body, eventSource: 'aws:sqs', eventSourceARN: QUEUES + arn };
    this.expect(wish.name, parseMessageEvent({ Records: [record] }, 0)[0]?.requests[0]);
  }

  private specOf(wish: Wish): Record<string, unknown> {
    this.jars.put(wish);
    const job = { ...(wish.spec['job'] as object), jarURI: this.jars.uriOf(wish), entryClass: 'a.B' };
    return { ...wish.spec, job };
  }

  private conflict(wish: Wish): void {
    // When it comes first it is the run, and has to end.
    const { deadlines } = wish.spec;
    const job = { jarURI: 'local:///opt/other.jar', entryClass: 'a.B' };
    const spec = { name: `${wish.name}`, deadlines, job };
    this.sim.tell('user', `sends another payload with the key of ${wish.name}`);
    const queue = wish.tenant === 'beta' ? this.betaQueue : this.jobQueue;
    queue.send(JSON.stringify({ spec, idempotencyKey: wish.idempotencyKey }), 0);
  }

  private upload(wish: Wish, send: number): void {
    const key = `${folderOf(wish.tenant)}${wish.name}.jar`;
    if (send === 0) {
      this.s3.store(`jars/${key}.job.yaml`, JSON.stringify(wish.spec));
      this.jars.put(wish);
      this.eTags.set(key, this.s3.objects.get(`jars/${key}`)?.eTag.replaceAll('"', '') ?? '');
    }
    const object = { key, size: 1, eTag: this.eTags.get(key), sequencer: '0055AED6DCD90281E5' };
    const event = { eventName: 'ObjectCreated:Put', eventTime: '2026-11-21T06:00:00Z', eventSource: 'aws:s3' };
    const body = JSON.stringify({ Records: [{ ...event, s3: { bucket: { name: 'jars' }, object } }] });
    this.sim.tell('user', `uploads ${wish.name}: ${JSON.stringify(wish.spec)}`);
    this.uploadQueue.send(body, 0);
    this.expect(wish.name, parseUploadEvent(JSON.parse(body))[0]?.requests[0]);
  }

  private schedule(wish: Wish, send: number): void {
    const spec = this.specOf(wish);
    this.s3.store(`${LEDGER}/${jobsFolderOf(wish.tenant)}${wish.name}.yaml`, JSON.stringify(spec));
    const { tenant } = wish;
    const schedule = `arn:aws:scheduler:eu-central-1:111122223333:schedule/${tenant ?? 'all'}/${wish.name}`;
    const event = { job: wish.name, schedule, scheduledTime: '2026-11-21T06:00:00Z' };
    const call = defined({ calledBy: tenant });
    this.expect(wish.name, parseScheduleEvent(event, { now: this.sim.now, ...call }));
    if (wish.poisoned && send === 0) this.poison(wish.name, { ...call, event });
    this.fire(wish.name, { ...call, event }, send, 1);
    if (send === 0) this.planBackfill(wish, event);
  }

  /** Somebody asks for the same firing by hand, before it comes or after. */
  private planBackfill(
    { name, tenant }: Wish,
    { job, ...tick }: { readonly job: string; readonly schedule: string },
  ): void {
    if (this.plan.workload !== undefined || !this.sim.draws.chance(`${name} backfilled`, 0.25)) return;
    const body = JSON.stringify({ runJob: job, tick, tag: 'backfill' });
    const queue = tenant === 'beta' ? this.betaQueue : this.jobQueue;
    this.sim.tell(`user ${tenant ?? ''}`, `sends ${body}`);
    queue.send(body, this.sim.draws.between(`${name} backfilled at`, 0, 30_000));
  }

  /** Whoever may call the function may say any schedule's name. */
  private poison(name: string, call: { readonly event: object; readonly calledBy?: string }): void {
    const job = { jarURI: 'local:///opt/other.jar', entryClass: 'a.B', kind: 'batch' };
    const spec = { name: `${name}-false`, deadlines: { start: '3m', run: '40s' }, job };
    this.fire(`${name}-false`, { ...call, event: { ...call.event, job: undefined, spec } }, 0, 1);
  }

  private fire(name: string, event: ScheduledCall, send: number, tries: number): void {
    const { sim } = this;
    const invocation = new Invocation(`schedule ${name} ${send + 1}.${tries}`);
    sim.tell(invocation.label, 'fires');
    this.pending += 1;
    const over = (succeeded: boolean): void => {
      if (!succeeded && tries < SCHEDULE_TRIES) {
        this.later(MINUTE, () => this.fire(name, event, send, tries + 1));
      }
      this.pending -= 1;
    };
    let settled = false;
    const settle = (succeeded: boolean): void => {
      if (settled) return;
      settled = true;
      invocation.alive = false;
      over(succeeded);
    };
    sim.after(30_000, () => {
      if (!settled) sim.kill(invocation, 'is ended by Lambda: timeout');
      settle(false);
    });
    FUNCTIONS.onSchedule(this, event, invocation).then(
      () => invocation.alive && settle(true),
      () => invocation.alive && settle(false),
    );
  }

  private expect(name: string, request: RunRequest | undefined): void {
    const keyed = request?.source.kind !== 'message' || request.source.idempotencyKey !== undefined;
    if (request === undefined || !keyed) return;
    const known = withTenant(request, deploymentOf(this));
    const runId = runIdFor(known.identity);
    if (!this.expected.has(name) && comesWithSweep(this.sim.draws, name)) this.markLongAgo(runId, known.tenant);
    this.expected.set(name, runId);
  }

  /** A function that had the same request died hours ago, when it had set its marker. */
  private markLongAgo(runId: RunId, tenant: string | undefined): void {
    const { s3, sim } = this;
    if (!sim.draws.chance(`${runId} marked long ago`, 0.5)) return;
    const path = `${LEDGER}/live/${tenant === undefined ? '' : `${tenant}/`}${runId}`;
    s3.store(path, 'long ago');
    const stored = s3.objects.get(path);
    if (stored !== undefined) s3.objects.set(path, { ...stored, modified: sim.now - 120 * MINUTE });
  }

  private cancel(wish: Wish, index: number): void {
    const record = this.invariants.recordNamed(wish.name);
    if (record === undefined) return;
    if (this.sim.draws.chance(`${wish.name} canceled by message ${index + 1}`, 0.4)) {
      return this.order(wish.tenant, record.runId);
    }
    const invocation = new Invocation(`cancel ${wish.name} ${index + 1}`);
    this.sim.after(30_000, () => this.sim.kill(invocation, 'has no more time'));
    FUNCTIONS.cancel(this, record.runId, invocation).then(
      (taken) => this.sim.tell(invocation.label, `was ${taken ? '' : 'not '}taken`),
      (error: unknown) => this.sim.tell(invocation.label, `failed: ${String(error)}`),
    );
  }

  /** A message to the queue of a tenant, who may not have the run. */
  private order(tenant: Wish['tenant'], runId: RunId): void {
    const body = JSON.stringify({ cancelRun: runId });
    this.sim.tell(`user ${tenant ?? ''}`, `sends ${body}`);
    (tenant === 'beta' ? this.betaQueue : this.jobQueue).send(body, 0);
  }

  /** Somebody wants it once more, and SQS or they themselves may say so twice. */
  private planAgain({ name, tenant, at, streams }: Wish): void {
    const { draws } = this.sim;
    // A workload that is given says all that is wanted.
    if (this.plan.workload !== undefined || streams || !draws.chance(`${name} done again`, 0.12)) return;
    const word = draws.pick(`${name} again how`, ['rerunRun', 'replayRun']);
    const queue = tenant === 'beta' ? this.betaQueue : this.jobQueue;
    for (const time of ['first', 'second'].slice(0, draws.whole(`${name} again times`, 1, 2))) {
      this.later(at + draws.between(`${name} again ${time}`, 5_000, 90_000), () => {
        const record = this.invariants.recordNamed(name);
        if (record === undefined) return;
        const body = JSON.stringify({ [word]: record.runId, idempotencyKey: 'again' });
        this.sim.tell(`user ${tenant ?? ''}`, `sends ${body}`);
        queue.send(body, 0);
      });
    }
  }

  /** Somebody of the other tenant has learned the id of a run. */
  private planStranger({ name, tenant, at }: Wish): void {
    if (tenant === undefined || !this.sim.draws.chance(`${name} met by a stranger`, 0.3)) return;
    this.later(at + this.sim.draws.between(`${name} stranger`, 0, 20_000), () => {
      const record = this.invariants.recordNamed(name);
      if (record !== undefined) this.order(tenant === 'beta' ? 'alpha' : 'beta', record.runId);
    });
  }

  /** As EventBridge Scheduler calls it; the last pass may still be at it. */
  private planSweep(): void {
    const { sim } = this;
    this.sweeps += 1;
    const number = this.sweeps;
    sim.after(SWEEP_EVERY, () => {
      if (this.isQuiet) {
        this.atRest = true;
        return;
      }
      const invocation = new Invocation(`sweep ${number}`);
      const most = sim.draws.pick('sweep most', [1, 3, 100]);
      sim.after(120_000, () => sim.kill(invocation, 'is ended by Lambda: timeout'));
      FUNCTIONS.sweepRuns(this, most, invocation).then(
        () => (invocation.alive = false),
        (error: unknown) => {
          sim.tell(invocation.label, `fails: ${String(error)}`);
          invocation.alive = false;
        },
      );
      this.planSweep();
    });
  }

  /** Somebody waits for a name, and takes it; or wants the cluster back. */
  private replace(gone: Stored): void {
    const { sim, kubernetes } = this;
    const { name, namespace } = gone;
    sim.after(100, () => {
      if (kubernetes.find('Deployment', name) !== undefined) return this.replace(gone);
      if (somebodyCopies(sim.draws)) {
        this.copied.add(name);
        sim.tell('someone else', `makes Deployment/${name} anew, with all that it says`);
        return kubernetes.addCopy(gone);
      }
      sim.tell('someone else', `makes Deployment/${name} anew`);
      const labels = { app: name, type: 'flink-native-kubernetes', component: 'jobmanager' };
      kubernetes.add({ kind: 'Deployment', metadata: { name, namespace, labels } }, 'someone else');
    });
  }

  private mayCancel({ name: clusterId }: Stored): void {
    const { draws } = this.sim;
    const wish = this.wishes.find(({ name }) => clusterId.startsWith(`${name}-`) && canceledAsMade(draws, name));
    if (wish === undefined) return;
    this.sim.after(draws.between(`${clusterId} canceled`, 0, 6_000), () => this.cancel(wish, wish.cancels.length));
  }

  /** Somebody deletes a cluster that is not theirs. */
  private planMeddling(): void {
    const { sim, kubernetes } = this;
    kubernetes.watchers.push({
      created: (object, by) => {
        if (object.kind !== 'Deployment' || by === 'someone else') return;
        this.mayCancel(object);
        const weight = somebodyCopies(sim.draws) ? 6 : 1;
        if (sim.faults.at(`deployment ${object.name} meddled with`, ['deleted-by-someone'], weight) === undefined)
          return;
        sim.after(sim.draws.between(`meddle ${object.name}`, 500, 20_000), () => {
          if (!kubernetes.exists(object)) return;
          sim.tell('someone else', `deletes Deployment/${object.name} ⚡deleted-by-someone`);
          kubernetes.remove(object, 'Foreground', 'someone else');
          if (somebodyCopies(sim.draws) || sim.draws.chance(`${object.name} replaced`, 0.5)) this.replace(object);
        });
      },
      deleted: () => undefined,
      gone: () => undefined,
    });
  }
}

/** Who deletes a cluster makes it anew, of the same text. */
export function somebodyCopies(draws: Draws): boolean {
  return draws.chance('somebody copies', 0.1);
}

/** One world from its beginning to its rest. */
export async function play(plan: Plan): Promise<Result> {
  const world = new World(plan);
  await world.live();
  const { sim, invariants } = world;
  return {
    seed: plan.seed,
    wishes: world.wishes.map(({ name }) => name),
    faults: sim.faults.struck,
    possible: sim.faults.possible(),
    violations: invariants.violations,
    story: sim.story ?? [],
    steps: sim.steps,
    runs: invariants.runs,
    upgrades: world.deployments.upgrades,
    rescales: world.deployments.invariants.rescaled,
    elapsed: sim.elapsed,
  };
}
