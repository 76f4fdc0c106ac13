import { decide, seesFinishedJob, type DecisionFacts, type Running, type RuledVerdict } from '../verdict/decide.ts';
import { mayStillFinish } from '../verdict/abort.ts';
import { nextLook } from '../run/intervals.ts';
import { currentAttempt, end, failAttempt, started, updateAttempt, without } from '../run/machine.ts';
import { streamNote } from '../verdict/kind.ts';
import type { Observation } from '../verdict/observation.ts';
import type { ActiveRun, Outcome, RunRecord } from '../run/record.ts';
import { savepointStop } from '../run/stop-request.ts';
import { noteGate } from '../run/gate.ts';
import { inTimeToRenew } from '../run/renewal.ts';
import { afterFailure, withMoreMemory } from '../run/retry.ts';
import { firstJobManager } from '../verdict/verdict.ts';
import { openAttempt, withRun, type AttemptContext } from './attempt-context.ts';
import type { DispatchDeps } from './deps.ts';
import { keepAbortDecision, keepEvidence, type Decision } from './evidence.ts';
import { archiveAttempt } from './history/archive.ts';
import { keepHistory, keepLastSample } from './history/keep-history.ts';
import { driveStop } from './state/drive-stop.ts';
import { lookAtStop } from './state/look-at-stop.ts';
import { noteSecondStart, withStateAtEnd } from './state/state-at-end.ts';
import { modeOf } from './modes/modes.ts';
import { continueNow, waitFor, type Step } from './step.ts';

type Waits = Extract<RuledVerdict, { kind: 'wait' }>;
type Ends = Exclude<RuledVerdict, { kind: 'wait' }>;

/** States starting and running: observe, decide, keep the evidence, and say what is next. */
export async function follow(record: ActiveRun, deps: DispatchDeps): Promise<Step> {
  const opened = await openAttempt(record, deps);
  const observation = await lookAtStop(opened, await modeOf(record).observe(opened));
  const now = deps.clock.now();
  const at = withRun(opened, noteGate(record, observation.kubernetes.pods, now));
  const facts: DecisionFacts = { observation, record: at.run, now };
  const verdict = decide(observation, at.run, now);
  if (verdict.kind === 'wait') return goOn(at, facts, verdict);
  logVerdict(at, verdict);
  return endAttempt(at, facts, verdict);
}

async function goOn(at: AttemptContext<ActiveRun>, facts: DecisionFacts, verdict: Waits): Promise<Step> {
  const { clock } = at.deps;
  const acted = await modeOf(at.run).act(
    withRun(at, noteImage(noteRuntime(noteRunning(at.run, verdict.running), facts.observation), facts.observation)),
    facts.observation,
  );
  if (acted.failed !== undefined) {
    const kept = await withEvidence(withRun(at, acted.record), acted.failed, { facts, verdict });
    return continueNow(afterFailure(kept, acted.failed, clock.now()));
  }
  const driven = await driveStop(withRun(at, acted.record), facts.observation);
  const silent = noteSilence(driven, verdict, clock.now());
  if (acted.again === true || driven !== acted.record) return continueNow(silent);
  const next = await keepHistory(withRun(at, silent), facts.observation);
  const now = clock.now();
  return waitFor(next, inTimeToRenew(next, nextLook(next, now), now));
}

async function endAttempt(at: AttemptContext<ActiveRun>, facts: DecisionFacts, verdict: Ends): Promise<Step> {
  const { run, attempt } = at;
  const { clock } = at.deps;
  const decision = { facts, verdict };
  if (verdict.kind === 'failed' && attempt.abortOutcome === undefined && mayStillFinish(facts.observation, run)) {
    const artifacts = await keepAbortDecision(at, decision);
    return continueNow(updateAttempt(run, { abortOutcome: verdict.outcome, artifacts }));
  }
  const begun = verdict.kind === 'ended' ? noteRunning(run, verdict.running) : run;
  const running = noteImage(begun, facts.observation);
  const sealed = await seal(withRun(at, running), facts.observation);
  if (sealed === undefined) return waitFor(running, nextLook(running, clock.now()));
  const kept = await withEvidence(withRun(at, sealed), verdict.outcome, decision);
  await keepLastSample(withRun(at, kept), facts.observation);
  const archived = await archiveAttempt(withRun(at, kept), facts.observation, verdict.outcome);
  const second = noteSecondStart(withRun(at, archived), facts.observation);
  const noted = seesFinishedJob(facts) ? updateAttempt(second, { jobFinished: true }) : second;
  const left = await withStateAtEnd(withRun(at, noted), facts.observation, verdict.outcome);
  return continueNow(
    verdict.kind === 'ended'
      ? ended(left, verdict.outcome, facts.observation, clock.now())
      : failed(left, verdict.outcome, clock.now()),
  );
}

/**
 * What Flink ended for want of memory may have more: where the JobManager itself lists what became of all jobs, and no log has to
 * be taken for whole. What was to stop with a savepoint has its own end.
 */
function ended(run: ActiveRun, outcome: Outcome, { rest }: Observation, now: number): RunRecord {
  const isKnown = rest.state === 'answered' && savepointStop(run) === undefined;
  const larger = isKnown ? withMoreMemory(run, outcome, now) : undefined;
  return larger ?? end(run, outcome);
}

/** What became of a savepoint that a lost job was to stop with is seen when it is gone: only then it is said how it ended. */
function failed(run: ActiveRun, outcome: Outcome, now: number): RunRecord {
  return savepointStop(run) === undefined ? afterFailure(run, outcome, now) : failAttempt(run, outcome, now);
}

async function withEvidence(at: AttemptContext<ActiveRun>, outcome: Outcome, decision: Decision): Promise<ActiveRun> {
  return updateAttempt(at.run, { artifacts: await keepEvidence(at, outcome, decision) });
}

function logVerdict({ run, attempt, deps }: AttemptContext<ActiveRun>, { kind, rule, outcome }: Ends): void {
  const { state, reason, message } = outcome;
  const subject = { runId: run.runId, attempt: attempt.number };
  deps.log.info('verdict', { ...subject, rule, kind, state, reason, message });
}

/**
 * Before an attempt ends, nothing may let its program begin any more, or begin anew. `undefined` when it has begun
 * meanwhile, which the next look will judge.
 */
async function seal(at: AttemptContext<ActiveRun>, observation: Observation): Promise<ActiveRun | undefined> {
  const mode = modeOf(at.run);
  const begun = firstJobManager(observation.kubernetes) !== undefined;
  const isSealed = begun && at.attempt.startRevokedAt !== undefined;
  if (mode.revokeStart === undefined || isSealed) return at.run;
  const record = await mode.revokeStart(at);
  if (begun) return record;
  const again = await mode.observe(withRun(at, record));
  return firstJobManager(again.kubernetes) === undefined ? record : undefined;
}

function noteRunning(record: ActiveRun, running: Running | undefined): ActiveRun {
  if (running === undefined || record.state === 'running') return record;
  const { at, ...seen } = running;
  return started(record, at, seen);
}

function noteRuntime(record: ActiveRun, { rest }: Observation): ActiveRun {
  if (rest.state === 'unreachable' || rest.runtime === undefined) return record;
  const told = updateAttempt(record, { runtime: rest.runtime });
  const note = streamNote(told);
  const { notes = [] } = told.job;
  return note === undefined || notes.includes(note) ? told : { ...told, job: { ...told.job, notes: [...notes, note] } };
}

/** Which image its name meant: another day the same name may be another image. A bundled one is made of it, and is not it. */
function noteImage(record: ActiveRun, { kubernetes }: Observation): ActiveRun {
  const { imageDigest: known } = currentAttempt(record);
  const asked = record.job.options['kubernetes.container.image.ref'];
  const pods = kubernetes.pods.filter(({ component }) => component === 'jobmanager');
  const main = pods.flatMap(({ containers }) => containers).find(({ init, image }) => !init && image === asked);
  if (known !== undefined || main?.imageDigest === undefined) return record;
  return updateAttempt(record, { imageDigest: main.imageDigest });
}

/** Silence counts from its first look, and only once the job had been seen. */
function noteSilence(record: ActiveRun, verdict: Waits, now: number): ActiveRun {
  if (!verdict.unreachable || record.state !== 'running') {
    return record.unreachableSince === undefined ? record : without(record, 'unreachableSince');
  }
  return record.unreachableSince === undefined ? { ...record, unreachableSince: now } : record;
}
