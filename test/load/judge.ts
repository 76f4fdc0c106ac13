import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { Begun } from '../simulated/node.ts';

/** What is seen from the outside when all is over: the ledger, the subscriber's queue, the node, the clocks. */
export interface Seen {
  readonly messages: number;
  readonly quota: number;
  readonly records: readonly Pick<RunRecord, 'runId' | 'state' | 'createdAt' | 'attempts' | 'outcome'>[];
  /** As they came, with duplicates. */
  readonly deliveries: readonly {
    readonly event: Pick<LifecycleEvent, 'id' | 'type' | 'subject'>;
    readonly receivedAt: number;
  }[];
  readonly begun: readonly Begun[];
  readonly most: number;
  /** Objects on Kubernetes, messages in queues, dead letters, markers of live runs. */
  readonly left: readonly string[];
  /** Milliseconds from the first message until nothing was left. */
  readonly ms: number;
  readonly throttled: Readonly<Record<string, { readonly asked: number; readonly refused: number }>>;
}

interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

export interface Verdict {
  readonly messages: number;
  readonly quota: number;
  readonly runs: number;
  readonly succeeded: number;
  /** Runs by the reason of another end. */
  readonly failures: Readonly<Record<string, number>>;
  /** Runs with another number than one of completion event ids. */
  readonly notAnnouncedOnce: readonly string[];
  /** Completion events that came again with the id that they had. */
  readonly deliveredAgain: number;
  /** Runs whose program began another number of times than once. */
  readonly notBegunOnce: readonly string[];
  readonly mostAtOnce: number;
  /** Runs that found no room at least once, and how often the unluckiest asked in vain. */
  readonly waitedForRoom: number;
  readonly mostAsks: number;
  /** Seconds from acceptance until the program begins. */
  readonly wait: Spread & { readonly bound: number };
  /** Seconds from the end of a job until its completion event is there. */
  readonly told: Spread;
  /** Runs that waited longer than the bound. */
  readonly starved: readonly string[];
  readonly throttled: Seen['throttled'];
  readonly left: readonly string[];
  readonly seconds: number;
  readonly runsPerSecond: number;
  /** What is wrong, in words; empty when all holds. */
  readonly faults: readonly string[];
}

const COMPLETED = 'io.flink-dispatch.run.completed.v1';

/** The longest pause between two times that a run asks for room, in seconds, as `lib/run/retry.ts` has it. */
const PAUSE = 60;

/**
 * First in, first out, at a constant rate the last of a crowd waits twice as long as the median. Runs ask for room by
 * themselves, and hear of it late by a pause at most; one that was passed over while others got room, or whose message was
 * lost, comes long after that: it starved.
 */
function starvationBound(median: number): number {
  return 2 * median + 2 * PAUSE;
}

export function judge(seen: Seen): Verdict {
  const { messages, quota, records, deliveries, most, left, throttled } = seen;
  const completed = deliveries.filter(({ event }) => event.type === COMPLETED);
  const announced = group(completed, ({ event }) => [event.subject, event.id]);
  const begun = group(seen.begun, ({ clusterId, jobId, at }) => [runOf(records, clusterId), `${jobId} ${at}`]);
  const waits = waitsOf(seen);
  const wait = spread([...waits.values()]);
  const bound = starvationBound(wait.median);
  const asks = records.map(({ attempts }) => attempts.at(-1)?.capacityWaits ?? 0);
  const seconds = seen.ms / 1000;
  const verdict = {
    messages,
    quota,
    runs: records.length,
    succeeded: records.filter(({ outcome, state }) => state === 'closed' && outcome?.state === 'succeeded').length,
    failures: count(records.flatMap(({ outcome, state }) => failureOf(state, outcome) ?? [])),
    notAnnouncedOnce: records.flatMap(({ runId }) => (announced.get(runId)?.size === 1 ? [] : [runId])),
    deliveredAgain: completed.length - new Set(completed.map(({ event }) => event.id)).size,
    notBegunOnce: records.flatMap(({ runId }) => (begun.get(runId)?.size === 1 ? [] : [runId])),
    mostAtOnce: most,
    waitedForRoom: asks.filter((times) => times > 0).length,
    mostAsks: Math.max(0, ...asks),
    wait: { ...wait, bound },
    told: spread(latenessOf(seen)),
    starved: [...waits].flatMap(([runId, wait]) => (wait > bound ? [runId] : [])),
    throttled,
    left,
    seconds,
    runsPerSecond: records.length / seconds,
  };
  return { ...verdict, faults: faultsOf(verdict) };
}

function failureOf(state: string, outcome: RunRecord['outcome']): string | undefined {
  if (outcome === undefined) return `still ${state}`;
  if (outcome.state !== 'succeeded') return outcome.reason;
  return state === 'closed' ? undefined : `still ${state}`;
}

/** Program names may be anything: cluster ids end with ten digits of the run and the attempt. */
function runOf(records: Seen['records'], clusterId: string): string {
  const [digits = ''] = /[0-9a-f]{10}(?=-\d+$)/.exec(clusterId) ?? [];
  return records.find(({ runId }) => runId.startsWith(digits))?.runId ?? clusterId;
}

/** Seconds by run; of a run that never began, until now. */
function waitsOf({ records, begun }: Seen): Map<string, number> {
  const first = new Map(begun.map(({ clusterId, at }) => [runOf(records, clusterId), at]));
  const last = Math.max(0, ...begun.map(({ at }) => at));
  return new Map(records.map(({ runId, createdAt }) => [runId, ((first.get(runId) ?? last) - createdAt) / 1000]));
}

/** Seconds of each run whose end was announced. */
function latenessOf({ records, begun, deliveries }: Seen): number[] {
  const ends = new Map(begun.map(({ clusterId, endsAt }) => [runOf(records, clusterId), endsAt]));
  const completed = deliveries.filter(({ event }) => event.type === COMPLETED);
  const told = new Map([...completed].reverse().map(({ event, receivedAt }) => [event.subject, receivedAt]));
  return [...told].flatMap(([runId, at]) => {
    const end = ends.get(runId);
    return end === undefined ? [] : [(at - end) / 1000];
  });
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { median: at(0.5), p99: at(0.99), longest: at(1) };
}

function faultsOf(verdict: Omit<Verdict, 'faults'>): string[] {
  const { messages, runs, quota, mostAtOnce, failures, notAnnouncedOnce, notBegunOnce, starved, left } = verdict;
  const some = (ids: readonly string[], what: string): string[] =>
    ids.length === 0 ? [] : [`${ids.length} ${what}: ${ids.slice(0, 5).join(', ')}`];
  return [
    ...(runs === messages ? [] : [`${runs} runs of ${messages} messages`]),
    ...(mostAtOnce <= quota ? [] : [`${mostAtOnce} clusters at once`]),
    ...Object.entries(failures).map(([reason, times]) => `${times} runs: ${reason}`),
    ...some(notAnnouncedOnce, 'runs not announced once'),
    ...some(notBegunOnce, 'runs whose program did not begin once'),
    ...some(starved, 'runs starved'),
    ...some(left, 'things left'),
  ];
}

function group<T>(items: readonly T[], pair: (item: T) => readonly [string, string]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const item of items) {
    const [key, value] = pair(item);
    groups.set(key, (groups.get(key) ?? new Set()).add(value));
  }
  return groups;
}

function count(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
