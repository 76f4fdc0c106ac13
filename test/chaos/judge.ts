import { reasonClass } from '../../lib/core/reasons.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { ClusterWatch, SeenProcess } from './cluster-watch.ts';
import { isOf, NOT_ALLOWED_IMAGE, OTHER } from './users.ts';
import type { Delivery, Letter } from './subscriber.ts';
import type { Wish } from './wishes.ts';
import type { Testimony } from './witness.ts';

/** All that can be known from the outside when everything is quiet. */
export interface Evidence {
  readonly wishes: readonly Wish[];
  readonly records: readonly RunRecord[];
  /** Of the subscriber's queue, with those that came more than once. */
  readonly deliveries: readonly Delivery[];
  readonly letters: readonly Letter[];
  readonly watch: Pick<ClusterWatch, 'clusters' | 'processes'>;
  readonly testimonies: readonly Testimony[];
  /** Names of streams, which have a judge of their own. */
  readonly streams: readonly string[];
}

export interface Judgement {
  readonly violations: readonly string[];
  /** Runs by `<state> <reason>`. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Runs that the faults of the servers and of their jobs' surroundings ended in another way than was asked for. */
  readonly spoilt: readonly string[];
  readonly attempts: number;
  /** Deployments that were made, and of them those that were taken back before their program could begin. */
  readonly deployments: number;
  readonly takenBack: number;
}

/** Times of Kubernetes are whole seconds. */
const SECOND = 1000;

export function judge(evidence: Evidence): Judgement {
  const violations: string[] = [];
  const spoilt: string[] = [];
  const check = (holds: boolean, what: string): void => void (holds || violations.push(what));
  judgeRequests(evidence, check, spoilt);
  for (const record of evidence.records) {
    judgeRecord(record, check);
    judgeEvents(record, evidence.deliveries, check);
    judgeProgram(record, evidence, check);
  }
  judgeEventsOfNobody(evidence, check);
  judgeLetters(evidence, check);
  const takenBack = judgeClusters(evidence, check);
  judgeTurns(evidence, check);
  const outcomes: Record<string, number> = {};
  for (const { outcome } of evidence.records) {
    const end = outcome === undefined ? 'none' : `${outcome.state} ${outcome.reason}`;
    outcomes[end] = (outcomes[end] ?? 0) + 1;
  }
  const attempts = evidence.records.reduce((sum, record) => sum + record.attempts.length, 0);
  const deployments = evidence.watch.clusters.size;
  return { violations, outcomes, spoilt, attempts, deployments, takenBack };
}

type Check = (holds: boolean, what: string) => void;

/** Every request has its run, and that ends as was asked for. */
function judgeRequests({ wishes, records, streams }: Evidence, check: Check, spoilt: string[]): void {
  const claimed = new Set<RunRecord>();
  for (const wish of wishes) {
    const own = records.filter(({ source }) => isOf(wish, source));
    own.forEach((record) => claimed.add(record));
    const refused = own.filter(({ outcome }) => outcome?.reason === 'IdempotencyConflict');
    const runs = own.filter((record) => !refused.includes(record));
    check(runs.length === (wish.ends.length === 0 ? 0 : 1), `${wish.name} has ${runs.length} runs`);
    check(refused.length === (wish.conflict === true ? 1 : 0), `${wish.name}: ${refused.length} were refused`);
    for (const { outcome, runId } of runs) {
      const end = `${outcome?.state ?? 'no'} ${outcome?.reason ?? 'outcome'}`;
      if (wish.ends.includes(end)) continue;
      if (isDoingOfFaults(outcome)) spoilt.push(`${wish.name} (${runId}): ${end}: ${outcome?.message ?? ''}`);
      else check(false, `${wish.name} (${runId}) ended as ${end}: ${outcome?.message ?? ''}`);
    }
  }
  // Those of a stream are its own to explain.
  for (const record of records.filter(({ name }) => !streams.includes(name)))
    check(claimed.has(record), `nobody asked for ${record.runId} ${record.name}`);
}

function judgeRecord({ name, state, outcome, attempts, events, stepError: trouble }: RunRecord, check: Check): void {
  check(state === 'closed', `${name} is ${state}: ${trouble?.message ?? ''}`);
  check(outcome !== undefined, `${name} has no outcome`);
  attempts.forEach(({ number, removalVerifiedAt, launchedAt, capacityWaits = 0 }, index) => {
    const before = attempts[index - 1];
    check(removalVerifiedAt !== undefined, `${name}: attempt ${number} was not proven gone`);
    if (before === undefined) return;
    // It came in the place of those that had found no room since.
    const waits = capacityWaits - (before.capacityWaits ?? 0);
    check(number === before.number + 1 + waits, `${name}: attempt ${number} after ${before.number}`);
    check(
      (before.removalVerifiedAt ?? Infinity) <= launchedAt,
      `${name}: attempt ${number} began before the last was gone`,
    );
  });
  check(
    events.every(({ sequence }, index) => sequence === index + 1),
    `${name}: events ${events.map(({ sequence }) => sequence).join(', ')}`,
  );
  check(events.filter(({ type }) => type === 'completed').length === 1, `${name} has not one completion`);
  check(events.at(-1)?.type === 'completed', `${name}: something was told after the completion`);
  check(
    events.every(({ publishedAt }) => publishedAt !== undefined),
    `${name} has events that were not published`,
  );
}

/** What the subscriber got is what is on record: all of it, each always with the same content. */
function judgeEvents(record: RunRecord, deliveries: readonly Delivery[], check: Check): void {
  const { name, runId, outcome } = record;
  const own = deliveries.filter(({ event }) => event.subject === runId);
  for (const { sequence, type } of record.events) {
    const id = `${runId}.${sequence}`;
    const same = own.filter(({ event }) => event.id === id);
    check(same.length > 0, `${name}: nobody got event ${id}, ${type}`);
    check(new Set(same.map(({ text }) => text)).size <= 1, `${name}: event ${id} has more than one content`);
    check(
      same.every(({ event }) => event.data.sequence === sequence && event.type.includes(`.${type}.`)),
      `${name}: event ${id} is not ${type}`,
    );
  }
  const ends = own.filter(({ event }) => event.type.includes('.completed.'));
  check(new Set(ends.map(({ event }) => event.id)).size === 1, `${name} has more than one completion, or none`);
  check(
    ends.every(({ event }) => event.data.state === outcome?.state && event.data.reason === outcome.reason),
    `${name}: the completion does not tell ${outcome?.state ?? ''} ${outcome?.reason ?? ''}`,
  );
}

function judgeEventsOfNobody({ records, deliveries }: Evidence, check: Check): void {
  const ids = new Set(records.flatMap(({ runId, events }) => events.map(({ sequence }) => `${runId}.${sequence}`)));
  for (const { event } of deliveries) check(ids.has(event.id), `event ${event.id} is on no record`);
}

/** What is refused is in the dead letters, with its reason, and nothing else is. */
function judgeLetters({ wishes, letters, records }: Evidence, check: Check): void {
  const reasonOf = ({ fault }: Wish): string => (fault === 'malformed' ? 'MalformedRequest' : 'NotAllowed');
  const dead = letters.filter(({ queue }) => queue === 'dead-letters');
  for (const wish of wishes.filter(({ fault, trigger }) => fault !== undefined && trigger === 'message')) {
    const own = dead.filter(({ body, reason }) => body.includes(wish.name) && reason === reasonOf(wish));
    check(own.length > 0, `${wish.name} was refused without a letter`);
  }
  for (const { body, reason } of dead) {
    const explained =
      reason === 'MalformedRequest'
        ? wishes.some(({ name, fault }) => fault === 'malformed' && body.startsWith(name))
        : reason === 'NotAllowed'
          ? body.includes(NOT_ALLOWED_IMAGE)
          : reason === 'IdempotencyConflict' && wishes.some(({ name, conflict }) => conflict && body.includes(name));
    check(explained, `a letter that nobody explains: ${reason ?? 'no reason'}: ${body}`);
  }
  // Five functions in turn died with it; the sweeper took its run on.
  for (const { body } of letters.filter(({ queue }) => queue === 'runs-failed')) {
    const { runId, deployment } = JSON.parse(body) as { readonly runId?: string; readonly deployment?: string };
    const isKnown = (record: RunRecord): boolean => record.runId === runId || record.deployment?.id === deployment;
    check(
      records.some((record) => isKnown(record) && record.state === 'closed'),
      `a run message that nobody explains: ${body}`,
    );
  }
}

/** One cluster of a run at a time; none that is not on record. Answers how many never ran their program. */
function judgeClusters({ records, watch }: Evidence, check: Check): number {
  const started = new Map<string, SeenProcess[]>();
  for (const process of watch.processes.values()) {
    if (process.component === 'jobmanager') push(started, process.clusterId, process);
  }
  const byName = new Map<string, string[]>();
  let takenBack = 0;
  for (const { clusterId, runId, attempt, uid } of watch.clusters.values()) {
    const record = records.find((it) => it.runId === runId);
    const known = record?.attempts.find(({ number }) => number === attempt);
    // One that was late: others had put its attempt off by then.
    if (known?.clusterId !== clusterId) {
      check(!started.has(clusterId), `Deployment ${clusterId} began its program, and is on no record`);
      takenBack += 1;
    } else push(byName, clusterId, uid);
  }
  for (const { name, attempts } of records) {
    const own = attempts.flatMap(({ clusterId }) => started.get(clusterId) ?? []);
    own.sort((a, b) => a.startedAt - b.startedAt);
    own.forEach((process, index) => {
      const beside = own.slice(0, index).find(({ endedAt = Infinity }) => endedAt > process.startedAt + SECOND);
      check(beside === undefined, `${name}: JobManagers ${beside?.pod ?? ''} and ${process.pod} ran at the same time`);
    });
  }
  for (const [clusterId, uids] of byName) {
    const pods = new Set((started.get(clusterId) ?? []).map(({ podUid }) => podUid));
    takenBack += uids.length - Math.min(uids.length, Math.max(1, pods.size));
    if (uids.length > 1) check(pods.size <= 1, `${clusterId}: ${uids.length} Deployments began their programs`);
  }
  return takenBack;
}

/** What the job itself says: begun by nobody but the attempts on record, and not again after it was done. */
function judgeProgram(record: RunRecord, { wishes, testimonies }: Evidence, check: Check): void {
  const wish = wishes.find((it) => isOf(it, record.source));
  if (wish === undefined || record.outcome?.reason === 'IdempotencyConflict') return;
  const { name, outcome } = record;
  const own = testimonies.filter(({ who }) => who === wish.name || who === wish.name + OTHER);
  const clusters = record.attempts.map(({ clusterId }) => clusterId as string);
  for (const { where, step } of own) check(clusters.includes(clusterOf(where)), `${name}: ${step} in ${where}`);
  check(new Set(own.map(({ who }) => who)).size <= 1, `${name}: two payloads of one key began`);
  const finished = own.filter(({ step }) => step === 'finish');
  check(finished.length <= 1, `${name} finished ${finished.length} times`);
  for (const { where, at } of finished) {
    const again = own.find((it) => it.step === 'begin' && it.at > at);
    check(again === undefined, `${name} finished in ${where} and began again in ${again?.where ?? ''}`);
  }
  const last = clusters.at(-1);
  const worked = own.filter(({ step, where }) => step === 'work' && clusterOf(where) === last);
  if (outcome?.state === 'succeeded') check(worked.length === 1, `${name} did its work ${worked.length} times`);
  if (outcome?.state === 'rejected') check(own.length === 0, `${name} was refused and began`);
}

/** `<cluster>-<ReplicaSet>-<pod>`, `<cluster>-taskmanager-<n>-<m>` */
function clusterOf(pod: string): string {
  return pod.replace(/-taskmanager-\d+-\d+$|-[a-z0-9]+-[a-z0-9]{5}$/, '');
}

/** Runs of one key take turns. */
function judgeTurns({ records, watch }: Evidence, check: Check): void {
  const byKey = new Map<string, { readonly name: string; readonly process: SeenProcess }[]>();
  for (const { name, job, attempts, prepared } of records) {
    // The JobManager of one that is prepared stands beside the last one; its program is its witness' to judge.
    if (job?.concurrency === undefined || prepared !== undefined) continue;
    for (const process of watch.processes.values()) {
      if (!attempts.some(({ clusterId }) => clusterId === process.clusterId)) continue;
      if (process.component === 'jobmanager') push(byKey, job.concurrency.key, { name, process });
    }
  }
  for (const [key, all] of byKey) {
    for (const one of all) {
      const beside = all.find(
        ({ name, process }) =>
          name !== one.name &&
          process.startedAt <= one.process.startedAt &&
          (process.endedAt ?? Infinity) > one.process.startedAt + SECOND,
      );
      check(beside === undefined, `${key}: ${one.name} ran beside ${beside?.name ?? ''}`);
    }
  }
}

/**
 * A failure that is not the job's own: its attempts were used up by servers that did not answer, and the like. An API
 * server that has just begun refuses what it allows a moment later, and a JobManager dies of it.
 */
function isDoingOfFaults(outcome: RunRecord['outcome']): boolean {
  if (outcome?.state !== 'failed') return outcome?.state === 'unknown';
  return outcome.reason === 'ServiceAccountForbidden' || reasonClass(outcome.reason) === 'infrastructure';
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(value);
}
