import type { Duration, Instant } from '../core/clock.ts';
import { describeError, isDispatchError } from '../core/errors.ts';
import { isEnded, without } from '../run/machine.ts';
import { troubleWait } from '../run/intervals.ts';
import type { Versioned } from '../run/ledger.ts';
import type { RunRecord } from '../run/record.ts';
import type { RunMessage } from '../run/run-queue.ts';
import { publishPending } from './announce.ts';
import { awaitTurn } from './await-turn.ts';
import { beginCleanUp, cleanUp } from './clean-up.ts';
import type { DispatchDeps } from './deps.ts';
import { follow } from './follow.ts';
import { launch } from './launch.ts';
import { goOn, waitFor, type Step } from './step.ts';

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
    deps.log.error('a run message without a run', { runId: message.runId });
    return;
  }
  if (stored.value.state === 'closed') return leaveLine(stored.value, deps);
  const now = deps.clock.now();
  const patience = Math.min(deadline, now + deps.inlineWait);
  // While others queue for functions, none is held by a wait.
  const short = now - stored.value.look.dueAt >= LATE ? 1 : SHORT;
  // A lower number: a later message carries this run on.
  while (stored !== undefined && message.look >= stored.value.look.number && stored.value.state !== 'closed') {
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
  const written = await deps.ledger.replace({ ...record, updatedAt: deps.clock.now() }, stored.version);
  if (written !== undefined && record.state !== stored.value.state) {
    deps.log.info(`run ${record.state}`, {
      runId: record.runId,
      from: stored.value.state,
      reason: record.outcome?.reason,
    });
    countEnd(stored.value, record, deps);
  }
  return written ?? overtaken(record, deps);
}

async function overtaken({ runId }: RunRecord, deps: DispatchDeps): Promise<Versioned<RunRecord> | undefined> {
  const theirs = await deps.ledger.read(runId);
  if (theirs?.value.state === 'closed') await leaveLine(theirs.value, deps);
  return theirs;
}

/** A step that was overtaken may have taken a lock for a run that needs none any more. */
async function leaveLine({ runId, job }: RunRecord, deps: DispatchDeps): Promise<void> {
  if (job?.concurrency !== undefined) await deps.locks.release(job.concurrency.key, runId);
}

/** Every run, also a rejected one, goes from its announced end to its clean-up once. */
function countEnd(before: RunRecord, { state, outcome }: RunRecord, { metrics }: DispatchDeps): void {
  if (before.state !== 'ended' || state !== 'cleaning' || outcome === undefined) return;
  metrics?.add('RunsEnded', 1, { outcome: outcome.state, reason: outcome.reason });
}

/** The message first: without it nobody would come back, and one too many is merged with the next. */
async function lookAgain(
  stored: Versioned<RunRecord>,
  step: Step,
  message: RunMessage,
  deps: DispatchDeps,
): Promise<void> {
  const now = deps.clock.now();
  const number = Math.max(message.look, stored.value.look.number) + 1;
  await deps.runQueue.send({ version: 1, runId: message.runId, look: number }, step.wait / 1000);
  const record = { ...step.record, look: { number, dueAt: now + step.wait }, updatedAt: now };
  const written = await deps.ledger.replace(record, stored.version);
  if (written !== undefined) return;
  deps.log.info('another step came first', { runId: message.runId, look: number });
  await overtaken(record, deps);
}

async function tryStep(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  // What was published stays so, whatever becomes of the step.
  let announced = record;
  try {
    announced = await announce(record, deps);
    // What was published of an end is written down before anything of it is removed.
    const step = announced !== record && isEnded(record.state) ? goOn(announced) : await takeStep(announced, deps);
    return step.record.trouble === undefined ? step : { ...step, record: without(step.record, 'trouble') };
  } catch (error) {
    return troubled(announced, error, deps);
  }
}

async function takeStep(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  switch (record.state) {
    case 'accepted':
    case 'waiting':
      return awaitTurn(record, deps);
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
      return goOn(record);
  }
}

/** Events of a live run may be late; the end is not passed over before it is announced. */
async function announce(record: RunRecord, deps: DispatchDeps): Promise<RunRecord> {
  try {
    return await publishPending(record, deps);
  } catch (error) {
    if (isEnded(record.state)) throw error;
    deps.log.warn('events are late', { runId: record.runId, error: describeError(error) });
    return record;
  }
}

function troubled(record: RunRecord, error: unknown, deps: DispatchDeps): Step {
  const now = deps.clock.now();
  const reason = isDispatchError(error) ? error.reason : 'Internal';
  const { since = now, count = 0 } = record.trouble ?? {};
  const trouble = { since, count: count + 1, reason, message: describeError(error) };
  const { runId, state } = record;
  deps.metrics?.add('TroubledSteps', 1);
  deps.log.warn('a step could not be taken', { runId, state, count: trouble.count, reason, error: trouble.message });
  return waitFor(
    { ...record, trouble },
    troubleWait(trouble.count, isDispatchError(error) ? error.retryAfter : undefined),
  );
}
