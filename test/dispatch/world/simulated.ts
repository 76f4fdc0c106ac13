import type { KubernetesObject } from '@kubernetes/client-node';
import { expect } from 'vitest';
import type { RunId } from '../../../lib/core/ids.ts';
import { accept, type Accepted } from '../../../lib/dispatch/accept.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import { sweep, type SweepReport } from '../../../lib/dispatch/sweep/sweep.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import {
  ATTEMPT_ANNOTATION,
  ownerIn,
  ownerMetadata,
  RUN_ID_ANNOTATION,
} from '../../../lib/kubernetes/cluster/owner-metadata.ts';
import type { ClusterRef, Owner } from '../../../lib/kubernetes/cluster/port.ts';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { acceptDeps, dispatchDeps, FUNCTIONS, LEDGER, sweepDeps } from '../../prove/functions.ts';
import type { FaultPlan } from '../../prove/faults.ts';
import type { Execution, Program } from '../../prove/servers/flink.ts';
import type { Stored } from '../../prove/servers/kubernetes-objects.ts';
import { Invocation, type Simulation } from '../../prove/simulation.ts';
import type { Draws } from '../../prove/draws.ts';
import { World as Simulated, type Plan } from '../../prove/world.ts';
import { writeZip } from '../../job/jar/zip-writer.ts';
import { Caller, DrivenSimulation, Means, Plans } from './driven.ts';

export const QUEUE_ARN = 'arn:aws:sqs:eu-central-1:111122223333:flink-jobs';
const MINUTE = 60_000;

const DEPLOYMENT = `
targets: { default: { namespace: flink, access: { kind: in-cluster }, jarDelivery: { kind: fetch, urlTtl: 1h } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
sessions: { plain: { idleAfter: 5m } }
allow:
  images: ['flink:*']
  serviceAccounts: [flink]
  jarUriSchemes: [local, s3]
  jarBuckets: [jars]
  sessions: [theirs]
  options: { allow: ['*'] }
`;

const MANIFEST = { name: 'META-INF/MANIFEST.MF', content: Buffer.from('Main-Class: a.B\n') };
const JAR = writeZip([{ ...MANIFEST, streamed: false, stored: true }]);
const NOBODY_ASKS = { wishes: [], quota: undefined, rate: 0, mostFaults: 0, losesRunMessages: false };

/** Programs: milliseconds from the start of their JobManager. */
export const FOREVER: Program = { restAfter: 600, runsAfter: 1_100, end: 'FINISHED' };
export const HEALTHY: Program = { ...FOREVER, endsAfter: 2_100 };
/** Its job waits for slots. */
export const WAITS: Program = { restAfter: 600, end: 'FINISHED' };

interface Options extends Pick<Plan, 'inlineWait' | 'tells'> {
  /** Questions of the world's draws of which the answer is yes. */
  readonly certain?: readonly string[];
}

/** The world of `prove`, in which a test asks for runs and everything takes the mean of its time. */
export class World extends Simulated {
  /** By attempt, from 1; the last one holds for all further attempts. */
  programs: readonly Program[] = [HEALTHY];
  readonly plans: Plans;
  readonly accept: ReturnType<typeof acceptDeps>;
  readonly dispatch: DispatchDeps;
  readonly sweeper: ReturnType<typeof sweepDeps>;
  /** Every write of a record, in order. */
  readonly writes: RunRecord[] = [];
  /** Every cluster of a run or pool that was ever made, as `namespace/name#run-attempt`. */
  readonly clusters: string[] = [];
  readonly clock: { time: number; now(): number };
  private readonly latest = new Map<RunId, RunRecord>();
  private sweepPlanned = false;

  constructor({ certain = [], ...options }: Options = {}) {
    const plans = new Plans();
    const deployment = parseDispatchConfig(DEPLOYMENT);
    const script = (question: string) => plans.at(question);
    super({
      ...{ seed: 0, draws: new Means(certain), faults: [], script, workload: NOBODY_ASKS, deployment, tells: true },
      ...options,
    });
    this.plans = plans;
    const { sim } = this;
    this.clock = {
      now: () => Math.round(sim.now),
      get time() {
        return Math.round(sim.now);
      },
      /** Passes without a function; what is due happens with the next step. */
      set time(time: number) {
        sim.now = time;
      },
    };
    this.jars.store('job.jar', JAR);
    this.watch();
    const caller = new Caller('test');
    this.accept = acceptDeps(this, caller);
    this.dispatch = dispatchDeps(this, caller);
    this.sweeper = sweepDeps(this, caller);
  }

  protected override simulation(draws: Draws, faults: FaultPlan, tells: boolean): Simulation {
    return new DrivenSimulation(draws, faults, tells);
  }

  override programOf(_name: string, attempt: number): Program {
    return this.programs[attempt - 1] ?? this.programs.at(-1) ?? HEALTHY;
  }

  /** As an event source calls for one. */
  request(request: RunRequest): Promise<Accepted> {
    return accept(request, this.accept);
  }

  /** Until every run is closed, or the time has come. */
  async drain(until = Infinity): Promise<void> {
    for (let steps = 0; steps < 20_000; steps += 1) {
      if (this.sim.now >= until || this.isOver) return;
      this.sweepSoon();
      const next = this.sim.nextAt;
      if (next === undefined || next > until) {
        this.sim.now = Math.max(this.sim.now, until);
        return;
      }
      await this.sim.step();
    }
    throw new Error('the world does not come to rest');
  }

  /** Whether runs are closed or not. */
  async pass(ms: number): Promise<void> {
    const until = this.sim.now + ms;
    while ((this.sim.nextAt ?? Infinity) <= until) await this.sim.step();
    this.sim.now = until;
  }

  drainFor(ms: number): Promise<void> {
    return this.drain(this.sim.now + ms);
  }

  /** Time passes for Kubernetes and Flink alone: messages are lost. */
  sweep(deps = this.sweeper): Promise<SweepReport> {
    return sweep(['default'], deps, { most: 100, deadline: this.sim.now + MINUTE });
  }

  loseMessages(): void {
    this.runQueue.clear();
  }

  get records(): readonly RunRecord[] {
    return [...this.latest.values()];
  }

  record(runId: RunId): RunRecord {
    return recordIn(this.records, runId);
  }

  /** Events of a run by id, the first of each; equal ids must be equal events. */
  events(runId: RunId): readonly LifecycleEvent[] {
    return eachOnce(this.bus.delivered, runId);
  }

  states(runId: RunId): readonly string[] {
    return this.events(runId).map(({ data }) => data.state);
  }

  /** Clusters that were ever made for the run. */
  created(runId: RunId): readonly string[] {
    return this.clusters.filter((name) => name.includes(`#${runId}-`));
  }

  /** Of an attempt of the run, from 1. */
  refOf(runId: RunId, attempt = 1): ClusterRef {
    const clusterId = this.record(runId).attempts[attempt - 1]?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    return { namespace: 'flink', clusterId };
  }

  /** Somebody makes a cluster of this name, with a JobManager that starts. */
  stand({ namespace, clusterId }: ClusterRef, owner: Owner): void {
    const labels = { app: clusterId, type: 'flink-native-kubernetes', component: 'jobmanager' };
    const { labels: ours, annotations } = ownerMetadata(owner);
    const template = { metadata: { labels }, spec: { containers: [] } };
    const metadata = { name: clusterId, namespace, labels: { ...labels, ...ours }, annotations };
    this.kubernetes.add({ kind: 'Deployment', metadata, spec: { template } } as KubernetesObject, 'a person');
  }

  /** Somebody takes it away, with all that is its own. */
  vanish({ clusterId }: ClusterRef): void {
    for (const object of this.kubernetes.objects.values()) {
      if (object.labels['app'] === clusterId && object.owners.length > 0) this.kubernetes.drop(object);
    }
    const deployment = this.kubernetes.find('Deployment', clusterId);
    if (deployment !== undefined) this.kubernetes.drop(deployment);
  }

  /** Jobs that were asked to stop, by id. */
  get canceled(): readonly string[] {
    return this.flink.executions.flatMap(({ jobs }: Execution) =>
      jobs.flatMap(({ id, canceled }) => (canceled ? [id] : [])),
    );
  }

  /** High-availability data, as a JobManager writes it. */
  addHighAvailability({ namespace, clusterId }: ClusterRef): string {
    const name = `${clusterId}-cluster-config-map`;
    const labels = { app: clusterId, type: 'flink-native-kubernetes', 'configmap-type': 'high-availability' };
    this.kubernetes.add({ kind: 'ConfigMap', metadata: { name, namespace, labels } }, 'flink');
    return `ConfigMap/${name}`;
  }

  standing({ clusterId }: ClusterRef): Stored | undefined {
    return this.kubernetes.find('Deployment', clusterId);
  }

  ownerOf(ref: ClusterRef): Owner | undefined {
    return ownerIn({ annotations: { ...this.standing(ref)?.annotations } });
  }

  /** `Kind/name` of every object of the cluster. */
  objectsOf({ clusterId }: ClusterRef): readonly string[] {
    const all = [...this.kubernetes.objects.values()].filter(({ labels }) => labels['app'] === clusterId);
    return all.map(({ kind, name }) => `${kind}/${name}`);
  }

  get deadLetters(): readonly { readonly body: string; readonly reason?: string; readonly [name: string]: unknown }[] {
    return this.letters.map(({ body, attributes: { reason, ...more } }) => ({
      ...more,
      body,
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  /** What is kept of runs, by URI. */
  get evidence(): ReadonlyMap<string, string> {
    const paths = this.s3.keys(`${LEDGER}/runs/`).filter((path) => path.includes('/evidence/'));
    return new Map(paths.map((path) => [`s3://${path}`, this.s3.text(path) ?? '']));
  }

  /** Requests that functions have made, by their names. */
  asked(pattern: RegExp): number {
    return (this.sim.story ?? []).filter(({ what }) => pattern.test(what)).length;
  }

  /** The lines that functions have logged. */
  get logged(): readonly string[] {
    const lines = (this.sim.story ?? []).filter(({ what }) => what.startsWith('“'));
    return lines.map(({ what }) => what.slice(1).replace('”', ''));
  }

  private get isOver(): boolean {
    return (
      this.runQueue.size === 0 && this.jobQueue.size === 0 && this.records.every(({ state }) => state === 'closed')
    );
  }

  /** When no message is left, the sweeper alone carries the runs on. */
  private sweepSoon(): void {
    if (this.sweepPlanned || this.runQueue.size > 0) return;
    this.sweepPlanned = true;
    this.sim.after(MINUTE, () => {
      this.sweepPlanned = false;
      if (this.isOver || this.runQueue.size > 0) return;
      void FUNCTIONS.sweepRuns(this, 100, new Invocation(`sweep at ${this.sim.elapsed}`));
    });
  }

  private watch(): void {
    const { onPut } = this.s3;
    this.s3.onPut = (put) => {
      onPut(put);
      const record = this.invariants.recordOf(put);
      if (record === undefined) return;
      this.latest.set(record.runId, record);
      this.writes.push(record);
    };
    this.kubernetes.watchers.push({
      created: ({ kind, namespace, name, annotations }, by) => {
        const run = annotations[RUN_ID_ANNOTATION];
        if (kind !== 'Deployment' || run === undefined || by === 'a person') return;
        this.clusters.push(`${namespace}/${name}#${run}-${annotations[ATTEMPT_ANNOTATION] ?? ''}`);
      },
      deleted: () => undefined,
      gone: () => undefined,
    });
  }
}

function recordIn(records: readonly RunRecord[], runId: RunId): RunRecord {
  const record = records.find((candidate) => candidate.runId === runId);
  if (record === undefined) throw new Error(`no record of ${runId}`);
  return record;
}

/** The first of each id of a run's events; those that are published again must be equal. */
function eachOnce(events: readonly LifecycleEvent[], runId: RunId): readonly LifecycleEvent[] {
  const byId = new Map<string, LifecycleEvent>();
  for (const event of events.filter(({ subject }) => subject === runId)) {
    const first = byId.get(event.id);
    if (first === undefined) byId.set(event.id, event);
    else expect(event, 'an event that is published again').toEqual(first);
  }
  return [...byId.values()];
}

let messages = 0;

/** A job message; each is a request of its own unless it has a key. */
export function jobMessage(spec: Record<string, unknown> = {}, key?: string): RunRequest {
  messages += 1;
  const messageId = `message-${messages}`;
  return {
    source: {
      kind: 'message',
      queueArn: QUEUE_ARN,
      messageId,
      ...(key === undefined ? {} : { idempotencyKey: key }),
    },
    identity: JSON.stringify(['sqs', QUEUE_ARN, ...(key === undefined ? ['message', messageId] : ['key', key])]),
    spec: { name: 'word-count', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' }, ...spec },
  };
}
