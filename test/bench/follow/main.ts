import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nextLook } from '../../../lib/run/intervals.ts';
import { dollarsPerLook, historyShares, looksPerHour, type LookCost } from './costs.ts';
import { liveRun, member, type Member } from './fleet.ts';
import { naive, ours, type Way } from './ways.ts';

/**
 * Following many live runs: how many looks a core takes in a second, beside a script's way to do the same; how late looks
 * are with 10,000 runs on one process; what a run costs by the hour. `--runs N --seconds S`.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '60' } },
});
const RUNS = Number(values.runs);
const SECONDS = Number(values.seconds);
const AT_ONCE = 16;
const ROUNDS = 3;
const WEEK = 7 * 24 * 3_600_000;

interface Fleet {
  readonly url: string;
  counts(): Promise<Record<string, number>>;
  stop(): void;
}

async function startFleet(): Promise<Fleet> {
  const script = fileURLToPath(new URL('server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(RUNS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = await new Promise<string[]>((resolve) => {
    createInterface(child.stdout).once('line', (line) => {
      resolve([line]);
    });
  });
  const url = `http://127.0.0.1:${port ?? ''}`;
  return {
    url,
    counts: async () => (await (await fetch(`${url}/counts`)).json()) as Record<string, number>,
    stop: () => child.stdin.end(),
  };
}

/** As many as `AT_ONCE` at a time, until `next` has no more. */
async function work(next: () => (() => Promise<void>) | undefined): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let job = next(); job !== undefined; job = next()) await job();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Rate {
  /** Per second of this process' CPU. */
  readonly perCore: number;
  readonly cpuMs: number;
  readonly looks: number;
}

/** Looks one after another for some seconds, as fast as it goes. */
async function rate(way: Pick<Way, 'look'>, seconds: number, numbers: Map<string, number>, runs = RUNS): Promise<Rate> {
  const end = Date.now() + seconds * 1000;
  let index = 0;
  const cpu = process.cpuUsage();
  await work(() => {
    if (Date.now() >= end) return undefined;
    const of = member((index += 1) % runs);
    return () => way.look(of, { version: 1, runId: of.runId, step: numbers.get(of.runId) ?? 2 });
  });
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  return { looks: index, perCore: (index / cpuMs) * 1000, cpuMs: cpuMs / index };
}

interface Lag {
  readonly looks: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly mostMs: number;
  /** The largest share of its own poll interval by which a look was late. */
  readonly mostOfInterval: number;
}

/** Real time, all runs live, each looked at when it is due. */
async function lag(way: Way, due: { of: Member; at: number; number: number; interval: number }[]): Promise<Lag> {
  const end = Math.min(...due.map(({ at }) => at)) + SECONDS * 1000;
  const late: { ms: number; interval: number }[] = [];
  due.sort((a, b) => a.at - b.at);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const one = due[next];
      if (one === undefined || one.at > end) return;
      next += 1;
      const wait = one.at - Date.now();
      if (wait > 0) await delay(wait);
      late.push({ ms: Math.max(0, Date.now() - one.at), interval: one.interval });
      await way.look(one.of, { version: 1, runId: one.of.runId, step: one.number });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const sorted = late.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const shares = late.map(({ ms, interval }) => ms / interval);
  return {
    looks: late.length,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    mostMs: at(1),
    mostOfInterval: Math.max(0, ...shares),
  };
}

/** Puts the records where the functions find them: ages even over a week, the next look anywhere within its interval. */
async function settle(way: Way): Promise<{ of: Member; at: number; number: number; interval: number }[]> {
  const now = Date.now();
  // When the last of them is on record.
  const first = now + 5_000 + 5 * RUNS;
  const due: { of: Member; at: number; number: number; interval: number }[] = [];
  let index = 0;
  await work(() => {
    if (index >= RUNS) return undefined;
    const of = member(index);
    const age = ((index + 1) / RUNS) * WEEK;
    index += 1;
    const draft = liveRun(of, age, now, now);
    const interval = nextLook(draft, now);
    const at = first + ((index * 7919) % 1000) * (interval / 1000);
    due.push({ of, at, number: 2, interval });
    return async () => void (await way.ledger.create(liveRun(of, age, now, at)));
  });
  return due;
}

function perLook(
  before: Record<string, number>,
  after: Record<string, number>,
  looks: number,
): (kind: string) => number {
  return (kind) => ((after[kind] ?? 0) - (before[kind] ?? 0)) / looks;
}

interface HistoryCost {
  /** Milliseconds of CPU, beyond those of a look. */
  readonly sample: number;
  readonly draft: number;
  /** Of the looks of a week. */
  readonly samples: number;
  readonly drafts: number;
  /** Of the time of a look, on average. */
  readonly share: number;
}

/** So few runs that each is sampled as often as its newest samples are kept apart. */
const SAMPLED = 50;

/** Looks that all keep a sample, and looks that all draft an archive, beside those that do neither, by turns. */
async function historyCost(url: string, numbers: Map<string, number>): Promise<HistoryCost> {
  const again = ({ runId, step }: { runId: string; step: number }): void => void numbers.set(runId, step);
  const ways = (['nothing', 'sample', 'draft'] as const).map((due) => ours(url, again, due));
  const sums = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, way] of ways.entries()) {
      if (round === 0) await rate(way, 1, numbers, SAMPLED);
      sums[index] = (sums[index] ?? 0) + (await rate(way, 4, numbers, SAMPLED)).cpuMs / ROUNDS;
    }
  }
  const [plain = 0, withSample = 0, withDraft = 0] = sums;
  const { samples, drafts } = historyShares();
  const [sample, draft] = [withSample - plain, withDraft - plain];
  return { sample, draft, samples, drafts, share: (samples * sample + drafts * draft) / plain };
}

async function bench(fleet: Fleet): Promise<boolean> {
  const numbers = new Map<string, number>();
  const way = ours(fleet.url, ({ runId, step: look }) => numbers.set(runId, look));
  process.stderr.write(`${RUNS} runs are put on record\n`);
  const due = await settle(way);
  process.stderr.write(`following them for ${SECONDS} s\n`);
  const lateness = await lag(way, due);
  await rate(way, 2, numbers);
  const before = await fleet.counts();
  const own = await rate(way, 10, numbers);
  const requests = perLook(before, await fleet.counts(), own.looks);
  const history = await historyCost(fleet.url, numbers);
  const script = naive(fleet.url);
  await rate(script, 2, numbers);
  const plain = await rate(script, 10, numbers);
  const cost: LookCost = {
    puts: requests('s3 PUT'),
    gets: requests('s3 GET'),
    sends: requests('sqs SendMessage'),
    // What waits for the network is charged as well: eight requests of a few milliseconds, in part side by side.
    ms: own.cpuMs + 50,
  };
  const dollars = dollarsPerLook(cost);
  const hours = [
    { what: 'batch, first hour', dollars: dollars * looksPerHour(0, 'batch') },
    { what: 'streaming, first hour', dollars: dollars * looksPerHour(0, 'streaming') },
    { what: 'streaming, second day', dollars: dollars * looksPerHour(25 * 3_600_000, 'streaming') },
  ];
  const pass = history.share <= 0.1 && lateness.mostOfInterval <= 1 && hours.every((hour) => hour.dollars < 0.01);
  console.log(`
                          looks/s and core   CPU ms a look
flink-dispatch            ${own.perCore.toFixed(0).padStart(16)}${own.cpuMs.toFixed(2).padStart(16)}
script (client-node)      ${plain.perCore.toFixed(0).padStart(16)}${plain.cpuMs.toFixed(2).padStart(16)}   (looks only: no record, no queue)

a look asks               ${cost.gets.toFixed(1)} GET and ${cost.puts.toFixed(1)} PUT of S3, ${cost.sends.toFixed(1)} SendMessage, ${requests('kubernetes').toFixed(1)} Kubernetes, ${requests('flink').toFixed(1)} Flink
its history               ${history.sample.toFixed(2)} ms more for a sample (${(100 * history.samples).toFixed(0)} % of looks), ${history.draft.toFixed(2)} ms for a draft of an archive (${(100 * history.drafts).toFixed(1)} %)
                          ${(100 * history.share).toFixed(1)} % of a look (goal: 10 %)
${RUNS} live runs         ${lateness.looks} looks in ${SECONDS} s on one process; late by ${lateness.medianMs} ms median, ${lateness.p99Ms} ms p99, ${lateness.mostMs} ms at most
                          at most ${(100 * lateness.mostOfInterval).toFixed(1)} % of a poll interval (goal: 100 %)
${hours.map(({ what, dollars: each }) => `${what.padEnd(26)}$${each.toFixed(5)} per run-hour (goal: below $0.01)`).join('\n')}
`);
  console.log(
    JSON.stringify({
      bench: 'follow',
      runs: RUNS,
      ours: own,
      script: plain,
      requests: cost,
      lag: lateness,
      hours,
      history,
      pass,
    }),
  );
  return pass;
}

const fleet = await startFleet();
try {
  const pass = await bench(fleet);
  process.exitCode = pass || !process.argv.includes('--strict') ? 0 : 1;
} finally {
  fleet.stop();
}
process.exit();
