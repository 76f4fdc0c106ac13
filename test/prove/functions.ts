import type { SQSEvent } from 'aws-lambda';
import { originalIn } from '../../functions/sqs.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { DeploymentId, RunId } from '../../lib/core/ids.ts';
import { s3ClassArchives } from '../../lib/delivery/classes/archives.ts';
import { createDelivery } from '../../lib/delivery/create-delivery.ts';
import type { Log } from '../../lib/core/log.ts';
import { orderByMessage } from '../../lib/operate/message-order.ts';
import { acceptBatch, type BatchDeps, type BatchResponse } from '../../lib/dispatch/accept-batch.ts';
import { accept, type AcceptDeps } from '../../lib/dispatch/accept.ts';
import { advanceBatch } from '../../lib/dispatch/advance-batch.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { orderDeployment, type Order } from '../../lib/dispatch/deployment/order.ts';
import type { DispatchDeps } from '../../lib/dispatch/deps.ts';
import { sweep, type SweepReport } from '../../lib/dispatch/sweep/sweep.ts';
import type { SweepDeps } from '../../lib/dispatch/sweep/sweep-deps.ts';
import type { Target } from '../../lib/dispatch/targets.ts';
import { s3Pins } from '../../lib/job/jar/s3-pins.ts';
import { s3Objects } from '../../lib/job/jar/s3-objects.ts';
import { storedJobsIn } from '../../lib/job/spec/stored-jobs.ts';
import { createEventBridgeDestination } from '../../lib/outcome/eventbridge-destination.ts';
import { createSfnCallbacks } from '../../lib/outcome/sfn-callbacks.ts';
import { createPublisher } from '../../lib/outcome/publisher.ts';
import { createS3EvidenceReader, createS3EvidenceStore } from '../../lib/run/store/s3-evidence-store.ts';
import { createS3Deployments } from '../../lib/deployment/store/s3-deployments.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns, createS3SweepPlaces } from '../../lib/run/store/s3-live-runs.ts';
import { createS3RunIndex, createS3RunList } from '../../lib/run/store/s3-run-index.ts';
import type { HttpAnswer, HttpCall, HttpDeps } from '../../lib/operate/http/call.ts';
import { answerCall } from '../../lib/operate/http/routes.ts';
import { createS3ArchiveStore } from '../../lib/run/store/history/s3-archive-store.ts';
import { createS3SampleStore } from '../../lib/run/store/history/s3-sample-store.ts';
import { createS3Locks } from '../../lib/run/store/s3-locks.ts';
import { s3StateStorages } from '../../lib/state/s3-state-storage.ts';
import { createSqsDeadLetters } from '../../lib/run/store/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../../lib/run/store/sqs-run-queue.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { parseUploadEvent } from '../../lib/trigger/s3-event.ts';
import { parseScheduleEvent } from '../../lib/trigger/schedule.ts';
import { reportOf } from '../../lib/view/report/report.ts';
import type { Invocation } from './simulation.ts';
import { sqsClient, type Sent } from './servers/sqs.ts';
import { signedUrl } from './jars.ts';
import { isSession } from './sessions/session-workload.ts';
import { deploymentOf, NAMESPACES } from './tenants.ts';
import type { World } from './world.ts';
import { logLine } from '../fakes/log-line.ts';
import { isRunMessage, parseQueueMessage } from '../../lib/run/store/run-queue.ts';
import { requestStop, type StopOrder } from '../../lib/dispatch/state/request-stop.ts';
import type { QueuedRun } from '../../lib/run/record.ts';

export const LEDGER = 'ledger';
/** Of one step or look: Lambda ends it before. */
export const LONGEST_STEP = 65_000;
export const RUNS_URL = 'https://sqs.test/runs';
export const LETTERS_URL = 'https://sqs.test/letters';

/** What a step may still need of the time when it begins; as in functions/. */
const ADVANCE_TIME = 60_000 - 20_000;
const SWEEP_TIME = 120_000 - 15_000;

/** What Scheduler calls with, and by which alias. */
export interface ScheduledCall {
  readonly event: unknown;
  readonly calledBy?: string;
}

export function acceptDeps(world: World, invocation: Invocation): BatchDeps {
  const objects = s3Objects(world.s3.client(invocation));
  const storedJobs = storedJobsIn(objects, LEDGER);
  const base = common(world, invocation);
  const { pin } = s3Pins({ s3: world.s3.client(invocation), bucket: LEDGER, clock: base.clock });
  const deployment = deploymentOf(world);
  const deps: AcceptDeps = { ...base, prepare: { objects, storedJobs, deployment }, pin };
  return { ...deps, order: (one) => orderByMessage(one, deps) };
}

function common(world: World, invocation: Invocation): Omit<AcceptDeps, 'prepare' | 'pin'> {
  const { sim } = world;
  const clock = sim.clock(invocation);
  const bucket = { s3: world.s3.client(invocation), bucket: LEDGER, sleep: () => clock.sleep(40) };
  const sqs = sqsClient(sim, invocation, nameOf, (sent) => world.sent(sent, invocation));
  return {
    ledger: createS3Ledger(bucket),
    deployments: createS3Deployments(bucket),
    live: createS3LiveRuns(bucket),
    runQueue: createSqsRunQueue({ sqs, queueUrl: RUNS_URL }),
    deadLetters: createSqsDeadLetters({ sqs, queueUrl: LETTERS_URL }),
    callbacks: createSfnCallbacks(world.tasks.client(invocation)),
    eventContext: { source: '/flink-dispatch/prove', ledgerBucket: LEDGER },
    clock,
    log: logOf(world, invocation),
  };
}

function nameOf({ queue, body }: Sent): string {
  return queue === RUNS_URL ? messageName(body) : 'dead letter';
}

/** `run 1a2b3c look 4` */
export function messageName(body: string): string {
  const message = parseQueueMessage(body);
  if (!isRunMessage(message)) return `deployment ${message.deployment.slice(0, 6)}`;
  const { runId, step } = message;
  return `run ${runId.slice(0, 6)} step ${step}`;
}

function logOf({ sim }: World, { label }: Invocation): Log {
  if (sim.story === undefined) return { info: () => undefined, warn: () => undefined, error: () => undefined };
  const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    sim.tell(label, logLine(`“${message}”`, fields));
  return { info: say, warn: say, error: say };
}

export function dispatchDeps(world: World, invocation: Invocation): DispatchDeps {
  const base = common(world, invocation);
  const bucket = { s3: world.s3.client(invocation), bucket: LEDGER, sleep: () => base.clock.sleep(40) };
  const eventBridge = world.bus.client(invocation);
  const bus = createEventBridgeDestination({ eventBridge, bus: 'bus' });
  const target = targetOf(world, invocation);
  return {
    ...base,
    locks: createS3Locks(bucket),
    evidence: createS3EvidenceStore(bucket),
    reportOf: (run) => reportOf(run, LEDGER),
    samples: createS3SampleStore(bucket),
    archives: createS3ArchiveStore(bucket),
    publisher: createPublisher({ destinations: [bus], open: () => bus }),
    targets: () => Promise.resolve(target),
    keepJar: s3Pins({ ...bucket, clock: base.clock }).refresh,
    state: s3StateStorages({ s3: bucket.s3, allowed: ['s3://state'] }),
    deliver: createDelivery(deploymentOf(world), {
      sign: ({ bucket, key }, ttl) => Promise.resolve(signedUrl(bucket, key, base.clock.now() + ttl)),
      clock: base.clock,
      archives: s3ClassArchives({ ...bucket, keep: s3Pins({ ...bucket, clock: base.clock }).refresh }),
      bundle: () => Promise.reject(new Error('nothing is bundled here')),
    }),
    sessions: world.sessions.deps(invocation),
    inlineWait: world.inlineWait,
  };
}

function targetOf(world: World, invocation: Invocation): Target {
  return {
    cluster: createClusters(world.kubernetes.api(invocation)),
    namespaces: NAMESPACES,
    jobManager: (ref) => (isSession(ref.clusterId) ? world.sessions.flink : world.flink).jobManager(invocation, ref),
    application: (ref) => world.flink.jobManager(invocation, ref),
    savepoints: (ref) => world.flink.savepoints(invocation, ref),
    session: (ref) => (isSession(ref.clusterId) ? world.sessions.flink : world.flink.prepared).session(invocation, ref),
    rescaling: (ref) => world.flink.rescaling(invocation, ref),
    history: (ref) => (isSession(ref.clusterId) ? world.sessions.flink : world.flink).history(invocation, ref),
  };
}

function httpDeps(world: World, invocation: Invocation): HttpDeps {
  const bucket = { s3: world.s3.client(invocation), bucket: LEDGER };
  return {
    ...acceptDeps(world, invocation),
    runs: createS3RunList(bucket),
    evidence: createS3EvidenceReader(bucket),
  };
}

export function sweepDeps(world: World, invocation: Invocation): SweepDeps {
  const bucket = { s3: world.s3.client(invocation), bucket: LEDGER };
  const dispatch = dispatchDeps(world, invocation);
  const { leases } = dispatch.sessions;
  const index = createS3RunIndex(bucket, { kept: 1, foldAt: 2, sheet: 2 });
  return { ...dispatch, leases, live: createS3LiveRuns(bucket), index, cursors: createS3SweepPlaces(bucket) };
}

/** The functions of the product, each as its handler calls lib. */
export const FUNCTIONS = {
  onMessage: (world: World, event: SQSEvent, invocation: Invocation): Promise<BatchResponse> => {
    const deps = acceptDeps(world, invocation);
    return acceptBatch(parseMessageEvent(event, deps.clock.now()), originalIn(event), deps);
  },

  onJarUpload: (world: World, event: SQSEvent, invocation: Invocation): Promise<BatchResponse> =>
    acceptBatch(parseUploadEvent(event), originalIn(event), acceptDeps(world, invocation)),

  onSchedule: async (world: World, { event, ...call }: ScheduledCall, invocation: Invocation): Promise<void> => {
    const deps = acceptDeps(world, invocation);
    await accept(parseScheduleEvent(event, { now: deps.clock.now(), ...call }), deps);
  },

  advanceRun: (world: World, event: SQSEvent, invocation: Invocation): Promise<BatchResponse> => {
    const deps = world.adapt(dispatchDeps(world, invocation));
    return advanceBatch(event.Records, deps, deps.clock.now() + ADVANCE_TIME);
  },

  sweepRuns: (world: World, most: number, invocation: Invocation): Promise<SweepReport> => {
    const deps = sweepDeps(world, invocation);
    return sweep(['default'], deps, { most, deadline: deps.clock.now() + SWEEP_TIME, folds: true });
  },

  onHttp: (world: World, call: HttpCall, invocation: Invocation): Promise<HttpAnswer> =>
    answerCall(call, httpDeps(world, invocation)),

  requestStop: (world: World, runId: RunId, order: StopOrder, invocation: Invocation): Promise<boolean> =>
    requestStop(runId, order, dispatchDeps(world, invocation)),

  /** As a deployment makes its runs. */
  createRun: async (world: World, run: QueuedRun, invocation: Invocation): Promise<void> => {
    const { ledger, runQueue } = common(world, invocation);
    await ledger.create(run);
    await runQueue.send({ version: 1, runId: run.runId, step: 0 }, 0);
  },

  order: (world: World, id: DeploymentId, order: Order, once: string, invocation: Invocation): Promise<unknown> =>
    orderDeployment(id, order, { by: 'a person', once }, common(world, invocation)),

  cancel: (world: World, runId: RunId, invocation: Invocation): Promise<boolean> => {
    const deps = dispatchDeps(world, invocation);
    return cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, deps);
  },
};
