import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type { RunId } from '../../core/ids.ts';
import { omit } from '../../core/omit.ts';
import { checkpointInterval } from '../../run/checkpointing.ts';
import type { RunRecord } from '../../run/record.ts';
import { POLL, TRANSITION, waitForRequest, type Decision } from '../decision.ts';
import { addEvent, fail } from '../events.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Generation, type StopWhy } from '../record.ts';
import { giveUpRequest } from '../requests.ts';
import { differInScaleAlone, scaleText } from './plan.ts';

interface Running {
  readonly own: DeploymentRun;
  readonly run: RunRecord;
  readonly wanted: Generation;
  readonly now: Instant;
}

/** Checkpoints that Flink waits for, at most, so that a rescale does nothing again: it gives up after two that failed. */
const CHECKPOINTS = 3;
/** How long a JobManager may say nothing. */
const SILENCE: Duration = 10 * 60_000;

/** Nobody could ask Flink, or hear what became of it. */
export function endRescale(record: DeploymentRecord, wanted: Generation, now: Instant): DeploymentRecord {
  const { rescale } = record.run ?? {};
  if (rescale === undefined || rescale.generation !== wanted.number || now < rescale.until + SILENCE) return record;
  if (record.unscaled?.generation === wanted.number) return record;
  return { ...record, unscaled: { generation: wanted.number, message: 'its JobManager does not answer' } };
}

/** Why the run has to end for what is wanted, although its job is that of its generation: it may have any parallelism. */
export function unscaledCause(
  { settled }: DeploymentRecord,
  own: DeploymentRun,
  wanted: Generation,
): StopWhy | undefined {
  return own.rescale === undefined || settled?.generation === wanted.number ? undefined : 'upgrade';
}

/** Whether the running job is to be given the parallelism of what is wanted; `cause`: why it would have to end for that. */
export function isToRescale(
  record: DeploymentRecord,
  { own, run, wanted }: Omit<Running, 'now'>,
  cause: StopWhy | undefined,
): boolean {
  const { settled, unscaled, done } = record;
  if (cause !== 'upgrade' || [settled?.generation, unscaled?.generation].includes(wanted.number)) return false;
  const { restart } = wanted.wish.nonces;
  if (restart !== undefined && restart !== done.restart) return false;
  if (!differInScaleAlone(generationOf(record, own.generation), wanted)) return false;
  return own.rescale !== undefined || (run.state === 'running' && own.runningAt !== undefined);
}

/** What is asked for is on record first; asking again does no harm. */
export function rescaling(given: DeploymentRecord, running: Running): Decision {
  const { own, run, now, wanted } = running;
  if (own.rescale?.generation === wanted.number) return asking(given, own, run, now);
  const { request } = given;
  // Flink begins the tasks anew, and a savepoint that is being taken would fail.
  if (request !== undefined && request.until > now) return waitForRequest(given, request, now);
  const record = giveUpRequest(given, now, 'It took too long');
  const next = { ...own, rescale: { generation: wanted.number, at: now, until: now + patience(wanted, run) } };
  const message = scaleChange(generationOf(record, own.generation), wanted);
  const told = addEvent({ ...record, state: 'rescaling', run: next }, 'rescaling', now, { run: own.id, message });
  return asking(told, next, run, now);
}

function patience({ plan }: Generation, run: RunRecord): Duration {
  return plan.probation + CHECKPOINTS * (checkpointInterval(run) ?? 0);
}

function asking(record: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): Decision {
  if (run.state !== 'running') return { record, effects: [], dueAt: now + TRANSITION };
  return { record, effects: [{ kind: 'rescale', run: own }], dueAt: now + POLL };
}

function scaleChange(from: Generation | undefined, { scale }: Generation): string {
  const [before, after] = [from?.scale, scale].map((one) => (one === undefined ? 'unknown' : scaleText(one)));
  return `Parallelism ${after ?? ''} instead of ${before ?? ''}, while the job runs on`;
}

/** The JobManager says that the job runs so: as far as it goes, what ran before goes on. */
export function rescaled(record: DeploymentRecord, runId: RunId, generation: number, now: Instant): DeploymentRecord {
  const own = awaiting(record, runId, generation);
  const wanted = generationOf(record, generation);
  if (own === undefined || wanted === undefined) return record;
  const before = generationOf(record, own.generation);
  const { stable } = record;
  const isStable = stable !== undefined && generationOf(record, stable.generation)?.job === before?.job;
  const run = { ...omit(own, 'rescale', 'load'), generation, rescales: (own.rescales ?? 0) + 1 };
  const next = {
    ...record,
    state: 'running',
    run,
    ...defined({ stable: isStable ? { ...stable, generation } : stable }),
  } as const;
  return addEvent(next, 'rescaled', now, { generation, run: runId, message: scaleChange(before, wanted) });
}

/** Flink was asked, or asked again: its time begins when it first was. */
export function asked(record: DeploymentRecord, run: RunRecord, generation: number, now: Instant): DeploymentRecord {
  const own = awaiting(record, run.runId, generation);
  const wanted = generationOf(record, generation);
  if (own?.rescale === undefined || wanted === undefined || own.rescale.askedAt !== undefined) return record;
  const rescale = { ...own.rescale, askedAt: now, until: now + patience(wanted, run) };
  return { ...record, run: { ...own, rescale } };
}

/** It was asked, and the job does not run so: once its time is over, that is the end of it. */
export function notYet(record: DeploymentRecord, runId: RunId, generation: number, now: Instant): DeploymentRecord {
  const { rescale } = awaiting(record, runId, generation) ?? {};
  const { scale } = generationOf(record, generation) ?? {};
  if (rescale?.askedAt === undefined || scale === undefined || now < rescale.until) return record;
  const seconds = Math.round((now - rescale.askedAt) / 1000);
  const message = `the job did not run with parallelism ${scaleText(scale)} within ${seconds} s`;
  return notRescaled(record, runId, generation, message);
}

/** Only another run can bring it about, and the way to that is an upgrade. */
export function notRescaled(
  record: DeploymentRecord,
  runId: RunId,
  generation: number,
  message: string,
): DeploymentRecord {
  return awaiting(record, runId, generation) === undefined ? record : { ...record, unscaled: { generation, message } };
}

/** No run can have it: the one that runs is left alone. */
export function tooMuch(
  record: DeploymentRecord,
  runId: RunId,
  generation: number,
  message: string,
  now: Instant,
): DeploymentRecord {
  if (awaiting(record, runId, generation) === undefined || record.wanted !== generation) return record;
  const choices = ['a lower parallelism', 'another pipeline.max-parallelism and empty state'];
  return fail(record, { reason: 'InvalidSpec', message, choices }, now);
}

function awaiting({ run }: DeploymentRecord, runId: RunId, generation: number): DeploymentRun | undefined {
  return run?.id === runId && run.stop === undefined && run.rescale?.generation === generation ? run : undefined;
}
