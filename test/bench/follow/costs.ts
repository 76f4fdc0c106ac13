import { nextLook } from '../../../lib/run/intervals.ts';
import { isDraftDue, isSampleDue } from '../../../lib/run/samples/sampling.ts';
import { liveRun, member } from './fleet.ts';

/** US dollars, list prices of us-east-1 in 2026, without a free tier. */
const PRICE = {
  lambdaRequest: 0.2 / 1e6,
  /** arm64. */
  lambdaGbSecond: 0.0000133334,
  s3Put: 0.005 / 1e3,
  s3Get: 0.0004 / 1e3,
  /** A message is sent, received and deleted. */
  sqsRequest: 0.4 / 1e6,
};
const MEMORY_GB = 0.5;
const HOUR = 3_600_000;

/** Requests and milliseconds of one look, as measured. */
export interface LookCost {
  readonly puts: number;
  readonly gets: number;
  readonly sends: number;
  /** Of the function's time. */
  readonly ms: number;
}

/** Each look is charged as an invocation of its own: batches only make it cheaper. */
export function dollarsPerLook({ puts, gets, sends, ms }: LookCost): number {
  return (
    puts * PRICE.s3Put +
    gets * PRICE.s3Get +
    sends * 3 * PRICE.sqsRequest +
    PRICE.lambdaRequest +
    (ms / 1000) * MEMORY_GB * PRICE.lambdaGbSecond
  );
}

/** Of the looks at a stream in its first week: the shares that keep a sample, and that draft an archive. */
export function historyShares(): { readonly samples: number; readonly drafts: number } {
  let attempt: {
    runningAt: number;
    sampled?: { count: number; at: number };
    archive?: { jobs: []; draftedAt: number };
  } = { runningAt: 0 };
  // Each moment of the week counts alike, as ages of a fleet do.
  const weigh = { samples: 0, drafts: 0 };
  for (let at = 0; at < 7 * 24 * HOUR;) {
    const wait = nextLook(liveRun(member(0), at, at, at), at);
    const sampled = isSampleDue(attempt, 'streaming', at);
    const drafted = isDraftDue(attempt, at);
    if (sampled) attempt = { ...attempt, sampled: { count: 1, at } };
    if (drafted) attempt = { ...attempt, archive: { jobs: [], draftedAt: at } };
    if (sampled) weigh.samples += wait;
    if (drafted) weigh.drafts += wait;
    at += wait;
  }
  return { samples: weigh.samples / (7 * 24 * HOUR), drafts: weigh.drafts / (7 * 24 * HOUR) };
}

/** Looks in the hour that begins at this age of a run, by the intervals that the functions follow. */
export function looksPerHour(age: number, kind: 'batch' | 'streaming'): number {
  let looks = 0;
  for (let at = age; at < age + HOUR; looks += 1) {
    const record = liveRun(member(0), at, at, at);
    const job = record.job === undefined ? undefined : { ...record.job, kind };
    at += Math.max(1, nextLook(job === undefined ? record : { ...record, job }, at));
  }
  return looks;
}
