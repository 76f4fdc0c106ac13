import { redactJson } from '../../core/redaction/redact.ts';
import { cutUtf8 } from '../../core/wire-text.ts';
import type { ResolvedJob } from '../../job/job.ts';
import type { Attempt, Outcome, RunRecord } from '../record.ts';

/** Bytes. More than an event has, so that an event says of everything that was cut that it was. */
const LIMITS = { stackTrace: 48 * 1024, rootException: 12 * 1024, accumulator: 6 * 1024, accumulators: 48 * 1024 };

/**
 * The record as it is stored. What others said of the run has its secrets hidden and its size bounded: Flink's whole answers
 * are evidence (`rest.json`). The job is kept as it is while the run may still launch it, and without secrets once it
 * has ended. The same again when it is applied again.
 */
export function keptRecord<R extends RunRecord>(record: R): R {
  const { outcome, stepError, waiting, attempts, job, stopFailed, stateUnknown, asked }: RunRecord = record;
  return {
    ...record,
    attempts: attempts.map(keptAttempt),
    ...(outcome && { outcome: keptOutcome(outcome) }),
    ...(stepError && { stepError: redactJson(stepError) }),
    ...(waiting && { waiting: redactJson(waiting) }),
    ...(stopFailed && { stopFailed: redactJson(stopFailed) }),
    ...(stateUnknown && { stateUnknown: redactJson(stateUnknown) }),
    ...(outcome && job && { job: endedJob(job) }),
    ...(asked && { asked: redactJson(asked) }),
  };
}

function keptAttempt(attempt: Attempt): Attempt {
  const { outcome, abortOutcome } = attempt;
  return {
    ...attempt,
    ...(outcome && { outcome: keptOutcome(outcome) }),
    ...(abortOutcome && { abortOutcome: keptOutcome(abortOutcome) }),
  };
}

/** Hidden first: a secret that is cut in two is not known any more. */
function keptOutcome(outcome: Outcome): Outcome {
  const hidden = redactJson(outcome);
  const { stackTrace, rootException, accumulators } = hidden;
  return {
    ...hidden,
    ...(stackTrace !== undefined && { stackTrace: cut(stackTrace, LIMITS.stackTrace) }),
    ...(rootException !== undefined && { rootException: cut(rootException, LIMITS.rootException) }),
    ...(accumulators && { accumulators: firstOf(accumulators) }),
  };
}

/** The first that fit, in the order given. */
function firstOf(all: Readonly<Record<string, string>>): Record<string, string> {
  let room = LIMITS.accumulators;
  const kept: [string, string][] = [];
  for (const [name, value] of Object.entries(all)) {
    const text = cut(value, LIMITS.accumulator);
    room -= Buffer.byteLength(name) + Buffer.byteLength(text);
    kept.push([name, text]);
    if (room < 0) break;
  }
  return Object.fromEntries(kept);
}

function cut(text: string, bytes: number): string {
  return cutUtf8(text, bytes, '…');
}

/** Where the run was and what it was called says no secret, and is still needed. */
function endedJob(job: ResolvedJob): ResolvedJob {
  const { options, podTemplates, args, jar, logConfiguration, notify } = job;
  const hidden = redactJson({ options, podTemplates, args, jar: { uri: jar.uri }, notify, logConfiguration });
  return {
    ...job,
    ...{ options: hidden.options, podTemplates: hidden.podTemplates, args: hidden.args },
    jar: { ...jar, ...hidden.jar },
    ...(hidden.logConfiguration && { logConfiguration: hidden.logConfiguration }),
    ...(job.mode === 'session' &&
      job.session.pool && { session: { ...job.session, pool: redactJson(job.session.pool) } }),
  };
}
