import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { REASONS } from '../core/reasons.ts';
import { redactText } from '../core/redaction/redact.ts';
import type { FastStart } from '../delivery/delivery.ts';
import { hasFixedJobId } from '../job/high-availability.ts';
import { evidencePrefix, reportKey } from '../run/store/evidence-store.ts';
import { retained } from '../run/retention/retained.ts';
import { recordKey, type Attempt, type JobReport, type Outcome, type RunEvent, type RunRecord } from '../run/record.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { callerText, type EventId, type RunSource } from '../trigger/request.ts';
import { cutAccumulators, cutJobs, cutList, cutText, cutTexts, LIMITS } from './limits.ts';
import type { LifecycleEvent, LifecycleEventData } from './schema.ts';

export interface EventContext {
  /** The CloudEvents source: a URI reference such as `/flink-dispatch/prod`. */
  readonly source: string;
  readonly ledgerBucket: string;
}

/**
 * The public form of one entry of the outbox. Built only from what no later step of the run changes, so that a retry has
 * the same bytes; redacted; at most MAX_EVENT_BYTES as JSON.
 */
export function buildEvent(record: RunRecord, event: RunEvent, context: EventContext): LifecycleEvent {
  const attempt = record.attempts.find(({ number }) => number === event.attempt);
  const outcome = outcomeOfEvent(record, event, attempt);
  const facts = {
    ...endFacts(record, outcome),
    ...jobFacts(record),
    ...(attempt === undefined ? {} : attemptFacts(attempt, record.job)),
    ...remediesBefore(record.attempts, attempt, event),
  };
  const data: LifecycleEventData = {
    runId: record.runId,
    ...defined({ tenant: record.tenant }),
    name: named(record.name),
    sequence: event.sequence,
    state: event.type === 'completed' ? (outcome?.state ?? 'unknown') : event.type,
    createdAt: iso(record.createdAt),
    ...facts,
    ...(outcome === undefined ? {} : { evidence: evidenceOf(record, event, outcome, context.ledgerBucket) }),
    ...leftOf(record, event),
    ...reportOf(record, event, context.ledgerBucket),
    request: requestOf(record.source),
    record: `s3://${context.ledgerBucket}/${recordKey(record.runId)}`,
  };
  return {
    specversion: '1.0',
    id: `${record.runId}.${event.sequence}`,
    source: context.source,
    type: `io.flink-dispatch.run.${event.type}.v1`,
    subject: record.runId,
    time: iso(event.time),
    datacontenttype: 'application/json',
    data,
  };
}

function outcomeOfEvent(record: RunRecord, event: RunEvent, attempt: Attempt | undefined): Outcome | undefined {
  if (event.type === 'completed') return record.outcome;
  return event.type === 'attempt-failed' ? attempt?.outcome : undefined;
}

function endFacts(record: RunRecord, outcome: Outcome | undefined): Partial<LifecycleEventData> {
  if (outcome === undefined) return {};
  const { message, rootException, stackTrace, field } = outcome;
  const texts = cutTexts(mapTexts({ message, rootException, stackTrace, field }));
  const accumulators = cutAccumulators(outcome.accumulators ?? {}, redactText);
  const jobs = cutJobs(outcome.jobs ?? [], redactText);
  const truncated = [...texts.cut, ...(accumulators.cut ? ['accumulators'] : []), ...(jobs.cut ? ['jobs'] : [])];
  return {
    reason: outcome.reason,
    reasonClass: REASONS[outcome.reason].class,
    ...texts.kept,
    todo: REASONS[outcome.reason].todo,
    ...(outcome.accumulators === undefined ? {} : { accumulators: accumulators.kept }),
    ...(outcome.jobs === undefined ? {} : { jobs: jobs.kept.map(jobOf) }),
    ...(truncated.length === 0 ? {} : { truncated }),
    ...defined({ flinkState: outcome.flinkState }),
    endedAt: iso(outcome.at),
    duration: span(record.createdAt, outcome.at),
    ...(outcome.jobDuration === undefined ? {} : { jobDuration: span(0, outcome.jobDuration) }),
  };
}

function jobOf({ startedAt, duration, ...job }: JobReport): NonNullable<LifecycleEventData['jobs']>[number] {
  return {
    ...job,
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...(duration === undefined ? {} : { duration: span(0, duration) }),
  };
}

function mapTexts(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const defined = Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(defined.map(([name, text]) => [name, redactText(text)]));
}

function jobFacts({ job }: RunRecord): Partial<LifecycleEventData> {
  if (job === undefined) return {};
  const image = job.options['kubernetes.container.image.ref'] ?? job.options['kubernetes.container.image'];
  return {
    target: job.target,
    namespace: job.namespace,
    flinkVersion: job.flinkVersion,
    ...(image === undefined ? {} : { image: named(image) }),
    ...cutTexts({ jar: redactText(job.jar.uri) }).kept,
  };
}

/** Of attempts before this one; its own is on record when it has failed, and not when it starts. */
function remediesBefore(
  attempts: readonly Attempt[],
  attempt: Attempt | undefined,
  { type }: RunEvent,
): Partial<LifecycleEventData> {
  const last = (attempt?.number ?? 0) - (type === 'attempt-failed' ? 0 : 1);
  const remedies = attempts
    .filter(({ number }) => number <= last)
    .flatMap(({ number, remedy = [] }) =>
      remedy.map(({ key, from, to }) => ({ attempt: number, option: key, from: named(from), to: named(to) })),
    );
  return remedies.length === 0 ? {} : { remedies };
}

/** An application's job has an id of Flink's own, once one was seen. */
function attemptFacts(attempt: Attempt, job: RunRecord['job']): Partial<LifecycleEventData> {
  const hasId = attempt.runningAt !== undefined || job === undefined || hasFixedJobId(job);
  return {
    attempt: attempt.number,
    clusterId: attempt.clusterId,
    ...(hasId ? { jobId: attempt.jobId } : {}),
    ...(attempt.runningAt === undefined ? {} : { startedAt: iso(attempt.runningAt) }),
    ...(attempt.restoredFrom === undefined ? {} : { restoredFrom: snapshotOf(attempt.restoredFrom) }),
    ...(attempt.fastStart === undefined ? {} : { fastStart: fastStartOf(attempt.fastStart) }),
  };
}

function fastStartOf({ archive, jobManager, taskManager }: FastStart): NonNullable<LifecycleEventData['fastStart']> {
  const texts = (flags: readonly string[]): string[] => flags.map(named);
  return {
    ...(archive && { archive: archive.sha256 }),
    jobManager: texts(jobManager),
    taskManager: texts(taskManager),
  };
}

function snapshotOf({ at, path, ...snapshot }: Snapshot): NonNullable<LifecycleEventData['snapshot']> {
  const { kind, format, checkpointId, run, bytes } = snapshot;
  const told = defined({ format, checkpointId, run, bytes });
  return { kind, path: named(redactText(path)), ...told, ...(at === undefined ? {} : { at: iso(at) }) };
}

/** Of a failed attempt its own, of the run's end those of all attempts. */
function evidenceOf(
  record: RunRecord,
  event: RunEvent,
  outcome: Outcome,
  bucket: string,
): NonNullable<LifecycleEventData['evidence']> {
  const attempts = record.attempts.filter(
    ({ number }) =>
      event.attempt !== undefined && (event.type === 'completed' ? number <= event.attempt : number === event.attempt),
  );
  const items = attempts.flatMap(({ number, artifacts = [] }) =>
    artifacts.map((name) => ({
      attempt: number,
      name,
      uri: `s3://${bucket}/${evidencePrefix(record.runId, number)}${name}`,
    })),
  );
  return {
    prefix: `s3://${bucket}/${evidencePrefix(record.runId)}`,
    findings: cutList(outcome.evidence.map(redactText), LIMITS.finding, LIMITS.findings),
    items: items.slice(-LIMITS.items),
  };
}

/** Of an end alone: what an attempt left is found later than the event of its failure is sent. */
function leftOf(record: RunRecord, event: RunEvent): Pick<LifecycleEventData, 'left' | 'snapshot'> {
  if (event.type !== 'completed') return {};
  const snapshot = record.attempts.at(-1)?.snapshot;
  return { ...(snapshot === undefined ? {} : { snapshot: snapshotOf(snapshot) }), ...retainedOf(record) };
}

/** Whether it was kept is on record before the event is sent for the first time. */
function reportOf({ runId, report }: RunRecord, event: RunEvent, bucket: string): Pick<LifecycleEventData, 'report'> {
  return event.type === 'completed' && report === 'kept' ? { report: `s3://${bucket}/${reportKey(runId)}` } : {};
}

function retainedOf(record: RunRecord): Pick<LifecycleEventData, 'left'> {
  const left = retained(record);
  return left.length === 0 ? {} : { left: cutList(left.map(redactText), LIMITS.finding, LIMITS.findings) };
}

/** Where a run came from, as events say it. */
export function requestOf(source: RunSource): LifecycleEventData['request'] {
  switch (source.kind) {
    case 'jar-upload': {
      const { kind, bucket, key, versionId, eTag } = source;
      const version = defined({ versionId });
      return { kind, bucket, key, ...version, ...defined({ eTag }) };
    }
    case 'message': {
      const { kind, queueArn, messageId, idempotencyKey } = source;
      return {
        kind,
        queueArn,
        messageId,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey: named(idempotencyKey) }),
      };
    }
    case 'schedule':
      return { kind: source.kind, schedule: named(source.schedule), scheduledTime: iso(source.scheduledTime) };
    case 'http': {
      const { kind, caller, idempotencyKey: key, event } = source;
      const told = {
        kind,
        caller: named(callerText(caller)),
        ...(key === undefined ? {} : { idempotencyKey: named(key) }),
      };
      return event === undefined ? told : { ...told, event: eventIdOf(event) };
    }
  }
}

function eventIdOf({ id, source, type, subject }: EventId): EventId {
  const bare = { id: named(id), source: named(source), type: named(type) };
  return subject === undefined ? bare : { ...bare, subject: named(subject) };
}

function named(text: string): string {
  return cutText(text, LIMITS.name);
}

function iso(at: Instant): string {
  return new Date(Math.round(at)).toISOString();
}

/** Clocks differ: Flink may end a job "before" it was accepted. */
function span(from: Instant, to: Instant): number {
  return Math.max(0, Math.round(to - from));
}
