import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError, isDispatchError } from '../core/errors.ts';
import { runIdFor, sha256Hex, type DeploymentId, type RunId } from '../core/ids.ts';
import { canonicalJson } from '../core/json.ts';
import { withTenant } from '../job/config/tenants.ts';
import type { Jar, ResolvedJob } from '../job/job.ts';
import type { PinJar } from '../job/jar/pin.ts';
import { fallbackName, keptCopy, prepareAgain, prepareRun, type Exactly, type PrepareDeps } from '../job/prepare.ts';
import type { TakenFor } from '../job/state-plan.ts';
import { askedOf } from '../run/asked.ts';
import { addEvent } from '../run/machine.ts';
import { outcomeOf } from '../verdict/decide.ts';
import type { Callback, EndedRun, Outcome, QueuedRun, RunRecord } from '../run/record.ts';
import type { LiveRuns } from '../run/store/live-runs.ts';
import type { RunRequest } from '../trigger/request.ts';
import { lateness } from '../trigger/schedule.ts';
import type { DispatchDeps } from './deps.ts';
import { callbacksOf, checkTaskToken, joinCallback } from './callbacks/join-callback.ts';
import { acceptStream, deploymentOfJob, isStream, type StreamRequest } from './deployment/accept-deployment.ts';
import { asStream, type Streamed } from './deployment/as-stream.ts';
import { claimUploads } from './deployment/claim-uploads.ts';
import { takeOver } from './deployment/take-over.ts';
import { checkPlan } from './modes/check-plan.ts';
import { checkQuota } from './quota.ts';

export type AcceptDeps = Pick<
  DispatchDeps,
  'ledger' | 'deployments' | 'runQueue' | 'deadLetters' | 'callbacks' | 'eventContext' | 'clock' | 'log'
> & {
  /** Asked only for a tenant that has a quota. */
  readonly live: Pick<LiveRuns, 'list'>;
  readonly prepare: PrepareDeps;
  readonly pin: PinJar;
};

/** The run that a request does again. */
export interface Again {
  readonly of: RunId;
  /** Absent: what was asked for is asked for again. */
  readonly exactly?: Exactly;
}

export interface Accepted {
  /** The request's: of its run, or of a generation of a deployment, which has runs of its own. */
  readonly runId: RunId;
  readonly result: 'accepted' | 'rejected' | 'skipped' | 'duplicate' | 'superseded';
  /** Of a stream that keeps its state. */
  readonly deployment?: { readonly id: DeploymentId; readonly generation?: number };
}

export interface Foreseen {
  readonly job: ResolvedJob;
  /** The same request was accepted before. */
  readonly isKnown: boolean;
}

/**
 * Makes a request durable: record first, then its run message; only then may the event source be told yes. A request
 * that was here before changes nothing. A stream that keeps its state changes its deployment instead. What cannot run
 * becomes a record that has ended as rejected, so that its reason is announced like any outcome.
 * @throws DispatchError that is retryable: nothing is decided, the event source should deliver again. To a caller by HTTP
 * also what would be a rejection: it is answered, and nothing is kept.
 */
export async function accept(asked: RunRequest, deps: AcceptDeps, again?: Again): Promise<Accepted> {
  const request = withTenant(asked, deps.prepare.deployment);
  const fingerprint = fingerprintOf(request);
  const runId = runIdFor(request.identity);
  const known = await deps.ledger.read(runId);
  if (known !== undefined) return acceptAgain(known.value, request, fingerprint, deps);
  const drafted = await draft({ runId, request, fingerprint, again, callbacks: callbacksOf(request, deps) }, deps);
  return 'stream' in drafted ? storeStream(drafted.stream, deps) : store(drafted, request, deps);
}

/**
 * What `accept` would make of a request, without making it: nothing is written.
 * @throws DispatchError for what it would reject, and as `accept`
 */
export async function foreseeRun(asked: RunRequest, deps: AcceptDeps): Promise<Foreseen> {
  const request = withTenant(asked, deps.prepare.deployment);
  const runId = runIdFor(request.identity);
  const known = await deps.ledger.read(runId);
  if (known !== undefined && known.value.fingerprint !== fingerprintOf(request)) {
    throw conflict(`run ${runId}`);
  }
  const { job } = await check({ request, runId }, deps, deps.clock.now());
  return { job, isKnown: known !== undefined };
}

async function storeStream(stream: StreamRequest, deps: AcceptDeps): Promise<Accepted> {
  const { request, requestId, fingerprint, takes } = stream;
  if (takes !== undefined) await takeOver(takes, stream, deps);
  const accepted = await acceptStream(stream, deps);
  if (accepted.kind === 'conflict') {
    return refuseConflict(`a request to deployment ${accepted.id}`, request, fingerprint, deps);
  }
  const { kind, ...deployment } = accepted;
  return { runId: requestId, result: kind, deployment };
}

async function store(record: RunRecord, request: RunRequest, deps: AcceptDeps): Promise<Accepted> {
  const stored = await deps.ledger.create(record);
  if (stored.kind === 'exists') return acceptAgain(stored.value, request, record.fingerprint, deps);
  await toDeadLetters(record, request, deps);
  await deps.runQueue.send({ version: 1, runId: record.runId, step: 1 }, 0);
  const result =
    record.outcome === undefined ? 'accepted' : record.outcome.state === 'skipped' ? 'skipped' : 'rejected';
  deps.log.info(`run ${result}`, { runId: record.runId, name: record.name, reason: record.outcome?.reason });
  return { runId: record.runId, result };
}

/** The second delivery of a request; the first may have stopped before its dead letter or its run message was sent. */
async function acceptAgain(
  known: RunRecord,
  request: RunRequest,
  fingerprint: string,
  deps: AcceptDeps,
): Promise<Accepted> {
  if (known.fingerprint !== fingerprint) return refuseConflict(`run ${known.runId}`, request, fingerprint, deps);
  await toDeadLetters(known, request, deps);
  await joinCallback(known, request, deps);
  if (known.step.number === 1) await deps.runQueue.send({ version: 1, runId: known.runId, step: 1 }, 0);
  return { runId: known.runId, result: 'duplicate' };
}

/** The same key with another payload is a request of its own, which is refused. */
async function refuseConflict(
  known: string,
  request: RunRequest,
  fingerprint: string,
  deps: AcceptDeps,
): Promise<Accepted> {
  const runId = runIdFor(`${request.identity}\n${fingerprint}`);
  const asked = { runId, request, fingerprint, callbacks: callbacksOf(request, deps) };
  const base = newRecord(asked, fallbackName(request), deps.clock.now());
  const refusal = conflict(known);
  if (request.isAnswered) throw refusal;
  return store(rejected(base, refusal), request, deps);
}

function conflict(known: string): DispatchError {
  const message = `${known} has the same idempotency key and another payload`;
  return new DispatchError('IdempotencyConflict', message, { field: 'idempotencyKey' });
}

/** A message that was rejected when it came; what somebody forbade or canceled later is no fault of the message. */
async function toDeadLetters(record: RunRecord, request: RunRequest, deps: AcceptDeps): Promise<void> {
  const { outcome, job } = record;
  if (outcome === undefined || job !== undefined || request.source.kind !== 'message') return;
  await deps.deadLetters.put({
    body: request.body ?? JSON.stringify(request.spec ?? { runJob: request.job }),
    source: request.source.queueArn,
    reason: outcome.reason,
    message: outcome.message,
    ...defined({ field: outcome.field }),
  });
}

interface New {
  readonly runId: RunId;
  readonly request: RunRequest;
  readonly fingerprint: string;
  readonly again?: Again | undefined;
  readonly callbacks: readonly Callback[] | undefined;
}

async function draft(asked: New, deps: AcceptDeps): Promise<RunRecord | { readonly stream: StreamRequest }> {
  const { runId, request, fingerprint } = asked;
  const now = deps.clock.now();
  const late = lateness(request, now);
  if (late !== undefined) {
    const outcome = outcomeOf('skipped', 'StartingDeadlineMissed', late, now, []);
    return ended(newRecord(asked, fallbackName(request), now), outcome);
  }
  try {
    const { job: draft, wish, takes } = await check(asked, deps, now);
    if (isStream(draft)) await claimUploads(draft, request, deps);
    const { pinned } = checkSum(await deps.pin(asked.again?.exactly ? keptCopy(draft.jar) : draft.jar));
    const job = { ...draft, jar: { ...draft.jar, ...defined({ pinned }) } };
    if (isStream(job) && wish !== undefined)
      return { stream: { request, requestId: runId, fingerprint, job, wish, takes } };
    const record: QueuedRun = { ...newRecord(asked, job.name, now), state: 'accepted', job };
    return addEvent(record, 'accepted', now);
  } catch (error) {
    if (!isDispatchError(error) || error.class !== 'user' || request.isAnswered) throw error;
    return rejected(newRecord(asked, fallbackName(request), now), error);
  }
}

/** All that can be judged before anything is written. */
async function check(
  { request, runId, again }: Pick<New, 'request' | 'runId' | 'again'>,
  deps: AcceptDeps,
  now: Instant,
): Promise<Streamed> {
  const { exactly } = again ?? {};
  const prepareAs = (takenFor?: TakenFor) => prepareRun(request, deps.prepare, now, takenFor);
  const prepared = await (exactly === undefined
    ? asStream(await prepareAs(), { request, runId, prepareAs }, deps)
    : prepareAgain(request, exactly, deps.prepare, now));
  checkPlan(prepared.job, runId);
  checkTaskToken(prepared.job, request, deps);
  if (!(await changesDeployment(prepared.job, request, deps))) await checkQuota(request, deps);
  return prepared;
}

/** A run of it takes the place of another one. */
async function changesDeployment(job: ResolvedJob, { tenant }: RunRequest, deps: AcceptDeps): Promise<boolean> {
  return isStream(job) && (await deps.deployments.read(deploymentOfJob(job, tenant))) !== undefined;
}

function checkSum(jar: Jar): Jar {
  const { pinned, sha256, uri } = jar;
  if (pinned === undefined || sha256 === undefined || pinned.sha256 === sha256) return jar;
  throw new DispatchError('JarChecksumMismatch', `${uri} has the SHA-256 ${pinned.sha256}, not ${sha256}`, {
    field: 'job.jarSha256',
  });
}

/** What every run has; its state, and what goes with it, is still to come. */
function newRecord(
  { runId, request, fingerprint, again, callbacks }: New,
  name: string,
  now: Instant,
): Omit<QueuedRun, 'state' | 'job' | 'outcome'> {
  return {
    version: 1,
    runId,
    ...defined({ tenant: request.tenant }),
    source: request.source,
    fingerprint,
    name,
    createdAt: now,
    updatedAt: now,
    attempts: [],
    events: [],
    step: { number: 1, dueAt: now },
    ...defined({ asked: askedOf(request), tag: request.tag, callbacks }),
    ...(again && { again: { of: again.of, exactly: again.exactly !== undefined } }),
  };
}

function rejected(
  record: ReturnType<typeof newRecord>,
  why: Pick<DispatchError, 'reason' | 'message' | 'field'>,
): EndedRun {
  const { reason, message, field } = why;
  return ended(record, { ...outcomeOf('rejected', reason, message, record.createdAt, []), ...defined({ field }) });
}

function ended(record: ReturnType<typeof newRecord>, outcome: Outcome): EndedRun {
  return addEvent({ ...record, state: 'ended', outcome }, 'completed', record.createdAt);
}

/** Of the payload alone: when and by which message it came is not part of it. */
function fingerprintOf(request: RunRequest): string {
  const { source, spec, job } = request;
  const object =
    source.kind === 'jar-upload' ? { bucket: source.bucket, key: source.key, versionId: source.versionId } : undefined;
  return sha256Hex(canonicalJson({ object, spec, job }));
}
