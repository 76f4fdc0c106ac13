import type { Duration, Instant } from '../core/clock.ts';
import { describeError, isDispatchError } from '../core/errors.ts';
import { end, isEnded, isOpen, without } from '../run/machine.ts';
import { stepErrorWait } from '../run/intervals.ts';
import type { Versioned } from '../run/store/ledger.ts';
import type { ActiveRun, Outcome, QueuedRun, RunRecord } from '../run/record.ts';
import type { RunMessage } from '../run/store/run-queue.ts';
import { isWithoutReport, keepReport, publishPending } from './announce.ts';
import { acquireLock } from './acquire-lock.ts';
import { tellCallbacks } from './callbacks/tell-callbacks.ts';
import { abandon, beginCleanUp, cleanUp } from './clean-up.ts';
import { isAbandoned, outcomeWithoutLook } from '../verdict/without-look.ts';
import type { DispatchDeps } from './deps.ts';
import { follow } from './follow.ts';
import { keepJar } from './keep-jar.ts';
import { launch } from './launch.ts';
import { releaseLock } from './lock.ts';
import { tellDeployment } from './state/tell-deployment.ts';
import { continueNow, waitFor, type Step } from './step.ts';

/** SQS delays by whole seconds: what is due sooner is waited for in place. */
const SHORT: Duration = 1000;
/** More than a cold start takes: looks that are this late have a queue before them. */
const LATE: Duration = 5_000;

/**
 * Takes a run as far as it goes without waiting, then asks to be called again. Any number of callers may do so at the
 * same time: effects can be repeated, and every write needs the version that was read.
 * @throws DispatchError when the ledger or the run queue gives no answer: the message has to come again.
 */
export async function advance(message: RunMessage, deps: DispatchDeps, deadline: Instant): Promise<void> {
  let stored = await deps.ledger.read(message.runId);
  if (stored === undefined) {
    deps.log.error('run message without a run record', { runId: message.runId });
    return;
  }
  if (stored.value.state === 'closed') return releaseLock(stored.value, deps);
  const now = deps.clock.now();
  const patience = Math.min(deadline, now + deps.inlineWait);
  // While others queue for functions, none is held by a wait.
  const short = now - stored.value.step.dueAt >= LATE ? 1 : SHORT;
  // A lower number: a later message carries this run on.
  while (stored !== undefined && message.step >= stored.value.step.number && stored.value.state !== 'closed') {
    const step = await tryStep(stored.value, deps);
    deps.metrics?.add('Steps', 1);
    if (step.wait >= short || deps.clock.now() + step.wait >= patience) {
      await lookAgain(stored, step, message, deps);
      return;
    }
    stored = await write(stored, step.record, deps);
    if (step.wait > 0) await deps.clock.sleep(step.wait);
  }
}

/** A conflict is somebody else's progress: go on from theirs. */
async function write(
  stored: Versioned<RunRecord>,
  record: RunRecord,
  deps: DispatchDeps,
): Promise<Versioned<RunRecord> | undefined> {
  if (record === stored.value) return stored;
  const written = await deps.ledger.replace({ ...record, updatedAt: deps.clock.now() }, stored.version, stored.value);
  if (written !== undefined && record.state !== stored.value.state) {
    deps.log.info(`run ${record.state}`, {
      runId: record.runId,
      from: stored.value.state,
      reason: record.outcome?.reason,
      rule: record.outcome?.rule,
    });
    countEnd(record, deps);
  }
  if (written !== undefined) await tellDeployment(stored.value, record, deps);
  return written ?? overtaken(record, deps);
}

/** A step that was overtaken may have taken a lock for a run that needs none any more. */
async function overtaken({ runId }: RunRecord, deps: DispatchDeps): Promise<Versioned<RunRecord> | undefined> {
  const theirs = await deps.ledger.read(runId);
  if (theirs?.value.state === 'closed') await releaseLock(theirs.value, deps);
  return theirs;
}

/** Every run, also a rejected one, goes from its announced end to its clean-up once. */
function countEnd({ state, outcome }: RunRecord, { metrics }: DispatchDeps): void {
  if (state !== 'cleaning' || outcome === undefined) return;
  metrics?.add('RunsEnded', 1, { outcome: outcome.state, reason: outcome.reason });
}

/** The message first: without it nobody but the sweeper would come back, and one too many is merged with the next. */
async function lookAgain(
  stored: Versioned<RunRecord>,
  step: Step,
  message: RunMessage,
  deps: DispatchDeps,
): Promise<void> {
  const now = deps.clock.now();
  const number = Math.max(message.step, stored.value.step.number) + 1;
  if (step.isTold !== true) {
    await deps.runQueue.send({ version: 1, runId: message.runId, step: number }, step.wait / 1000);
  }
  const record = { ...step.record, step: { number, dueAt: now + step.wait }, updatedAt: now };
  const written = await deps.ledger.replace(record, stored.version, stored.value);
  if (written !== undefined) return tellDeployment(stored.value, record, deps);
  deps.log.info('another step came first', { runId: message.runId, look: number });
  await overtaken(record, deps);
}

async function tryStep(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  if (isWithoutReport(record)) return continueNow(await keepReport(record, deps));
  // What was published stays so, whatever becomes of the step.
  let announced = record;
  try {
    announced = await announce(record, deps);
    await keepJar(record, deps);
    // What was published of an end is written down before anything of it is removed.
    const step =
      announced !== record && isEnded(record.state) ? continueNow(announced) : await takeStep(announced, deps);
    return step.record.stepError === undefined ? step : { ...step, record: without(step.record, 'stepError') };
  } catch (error) {
    return afterStepError(noteStepError(announced, error, deps), error, deps);
  }
}

async function takeStep(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  switch (record.state) {
    case 'accepted':
    case 'waiting':
      return acquireLock(record, deps);
    case 'launching':
      return launch(record, deps);
    case 'starting':
    case 'running':
      return follow(record, deps);
    case 'ended':
      return beginCleanUp(record, deps.clock.now());
    case 'cleaning':
      return cleanUp(record, deps);
    case 'closed':
      return continueNow(record);
  }
}

/** Events of a live run may be late; the end is not passed over before it is announced. */
async function announce(record: RunRecord, deps: DispatchDeps): Promise<RunRecord> {
  try {
    return await tellCallbacks(await publishPending(record, deps), deps);
  } catch (error) {
    if (isEnded(record.state)) throw error;
    deps.log.warn('events are late', { runId: record.runId, error });
    return record;
  }
}

function noteStepError(record: RunRecord, error: unknown, deps: DispatchDeps): RunRecord {
  const now = deps.clock.now();
  const reason = isDispatchError(error) ? error.reason : 'Internal';
  const { since = now, count = 0 } = record.stepError ?? {};
  const stepError = { since, count: count + 1, reason, message: describeError(error) };
  const { runId, state } = record;
  deps.metrics?.add('FailedSteps', 1);
  deps.log.warn('step failed', { runId, state, count: stepError.count, reason, error });
  return { ...record, stepError };
}

function endUnseen(record: QueuedRun | ActiveRun, outcome: Outcome, deps: DispatchDeps): RunRecord {
  const { rule, state, reason, message } = outcome;
  deps.log.info('verdict', { runId: record.runId, rule, state, reason, message });
  return without(end(record, outcome), 'stepError');
}

/** Deadlines, requests to cancel and clean-ups come to an end although no step succeeds. */
async function afterStepError(record: RunRecord, error: unknown, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  if (isOpen(record)) {
    const outcome = outcomeWithoutLook(record, now);
    if (outcome !== undefined) return continueNow(endUnseen(record, outcome, deps));
  } else if (isAbandoned(record, now)) {
    return continueNow(await abandon(record, deps));
  }
  const retryAfter = isDispatchError(error) ? error.retryAfter : undefined;
  return waitFor(record, stepErrorWait(record.stepError?.count ?? 1, retryAfter));
}
