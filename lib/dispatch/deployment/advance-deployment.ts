import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { describeError, isDispatchError } from '../../core/errors.ts';
import type { DeploymentId, RunId } from '../../core/ids.ts';
import { omit } from '../../core/omit.ts';
import { decideDeployment } from '../../deployment/decide.ts';
import type { Decision } from '../../deployment/decision.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import { stepErrorWait } from '../../run/intervals.ts';
import type { RunRecord } from '../../run/record.ts';
import type { Versioned } from '../../run/store/ledger.ts';
import type { DispatchDeps } from '../deps.ts';
import { publishOutbox } from './announce-deployment.ts';
import { carryOut } from './carry-out.ts';
import type { Found } from './take-snapshot.ts';

/** More than any way from one state of rest to the next takes. */
const ROUNDS = 25;
/** What is due later is the sweeper's to see to. */
const FAR: Duration = 15 * 60_000;
/** Events that could not be published are tried again. */
const LATE_EVENTS: Duration = 30_000;

/**
 * Takes a deployment as far as it goes without waiting. Any number of callers may do so at the same time: what is to be
 * done is written first, on condition that nobody else has changed the record, and can be done again.
 * @throws DispatchError when the ledger or the run queue gives no answer: the message has to come again.
 */
export async function advanceDeployment(id: DeploymentId, deps: DispatchDeps, deadline: Instant): Promise<void> {
  for (let rounds = 0; rounds < ROUNDS && deps.clock.now() < deadline; rounds += 1) {
    const stored = await deps.deployments.read(id);
    if (stored === undefined) {
      deps.log.error('a message without a deployment', { deployment: id });
      return;
    }
    if ((await round(stored, deps)) === 'rests') return;
  }
  await deps.runQueue.send({ version: 1, deployment: id }, 1);
}

async function round(stored: Versioned<DeploymentRecord>, deps: DispatchDeps): Promise<'goes on' | 'rests'> {
  const { value } = stored;
  const run = await runOf(value.run?.id, deps);
  const others = defined({ next: await runOf(value.next?.id, deps), leaving: await runOf(value.leaving?.id, deps) });
  const announced = await publishOutbox(value, deps);
  const decision = decideDeployment(announced, run, deps.clock.now(), others);
  const written = decision.record === value ? stored : await write(decision.record, stored, deps);
  // A conflict is somebody else's progress: go on from theirs.
  if (written === undefined) return 'goes on';
  logState(value, written.value, deps);
  try {
    const found = await carryOutAll(decision, written.value, run, deps);
    if (found.length > 0) {
      await note(written.value.id, found, deps);
      return 'goes on';
    }
  } catch (error) {
    await noteStepError(written, error, deps);
    return 'rests';
  }
  const moved = decision.record !== value && isMove(value, written.value);
  return moved ? 'goes on' : lookAgain(written, decision, deps);
}

async function runOf(id: RunId | undefined, { ledger }: DispatchDeps): Promise<RunRecord | undefined> {
  return id === undefined ? undefined : (await ledger.read(id))?.value;
}

/** Events to publish, or another run to look at. */
function isMove(before: DeploymentRecord, after: DeploymentRecord): boolean {
  return (
    before.sequence !== after.sequence ||
    before.run?.id !== after.run?.id ||
    before.next !== after.next ||
    before.leaving !== after.leaving ||
    before.request?.ordinal !== after.request?.ordinal
  );
}

async function carryOutAll(
  { effects }: Decision,
  record: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const effect of effects) {
    const one = await carryOut(effect, record, run, deps);
    if (one !== undefined) found.push(one);
  }
  return found;
}

async function write(
  record: DeploymentRecord,
  { version }: Versioned<DeploymentRecord>,
  deps: DispatchDeps,
): Promise<Versioned<DeploymentRecord> | undefined> {
  return deps.deployments.replace({ ...record, updatedAt: deps.clock.now() }, version);
}

/** Into the record as it is by then. */
async function note(id: DeploymentId, found: readonly Found[], deps: DispatchDeps): Promise<void> {
  const stored = await deps.deployments.read(id);
  if (stored === undefined) return;
  const record = found.reduce((before, one) => one(before), stored.value);
  // Overtaken: the next round finds out again.
  if (record !== stored.value) await write(record, stored, deps);
}

/** One message for each time that is due; what is far away needs none. */
async function lookAgain(
  stored: Versioned<DeploymentRecord>,
  decision: Decision,
  deps: DispatchDeps,
): Promise<'goes on' | 'rests'> {
  const { value } = stored;
  const now = deps.clock.now();
  const isLate = value.events.some(({ publishedAt }) => publishedAt === undefined);
  const dueAt = isLate ? Math.min(decision.dueAt ?? Infinity, now + LATE_EVENTS) : decision.dueAt;
  const at =
    dueAt !== undefined && value.dueAt !== undefined && value.dueAt > now ? Math.min(value.dueAt, dueAt) : dueAt;
  if (at === value.dueAt && value.stepError === undefined) return 'rests';
  const isSent = at !== undefined && at !== value.dueAt && at - now <= FAR;
  if (isSent) await deps.runQueue.send({ version: 1, deployment: value.id }, (at - now) / 1000);
  const written = await write({ ...omit(value, 'stepError', 'dueAt'), ...defined({ dueAt: at }) }, stored, deps);
  // A message that is sent looks at what others have changed meanwhile; to look now would send one more each time.
  return written === undefined && !isSent ? 'goes on' : 'rests';
}

/** Trouble here is no fault of the run, which goes on. */
async function noteStepError(stored: Versioned<DeploymentRecord>, error: unknown, deps: DispatchDeps): Promise<void> {
  const { value } = stored;
  const now = deps.clock.now();
  const reason = isDispatchError(error) ? error.reason : 'Internal';
  const { since = now, count = 0 } = value.stepError ?? {};
  const stepError = { since, count: count + 1, reason, message: describeError(error) };
  deps.metrics?.add('FailedSteps', 1);
  deps.log.warn('a step of a deployment failed', { deployment: value.id, count: stepError.count, reason, error });
  const wait = stepErrorWait(stepError.count, isDispatchError(error) ? error.retryAfter : undefined);
  await deps.runQueue.send({ version: 1, deployment: value.id }, wait / 1000);
  await write({ ...value, stepError, dueAt: now + wait }, stored, deps);
}

function logState(before: DeploymentRecord, { id, state, settled }: DeploymentRecord, deps: DispatchDeps): void {
  if (before.state === state) return;
  deps.log.info(`deployment ${state}`, { deployment: id, from: before.state, reason: settled?.reason });
}
