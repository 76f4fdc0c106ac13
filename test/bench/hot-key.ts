import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DispatchError } from '../../lib/core/errors.ts';
import { runIdFor, type RunId } from '../../lib/core/ids.ts';
import { jsonOf } from '../../lib/core/json.ts';
import type { Contender, Locks } from '../../lib/run/store/locks.ts';
import { createS3Locks } from '../../lib/run/store/s3-locks.ts';
import { getText, putIf, type Bucket } from '../../lib/run/store/s3-objects.ts';
import { memoryBucket } from '../contract/support/memory-bucket.ts';

/**
 * Many runs of one concurrency key that come at once: how many get their place, and with how many requests. Beside it the
 * plain way, one object with a holder and a list, which each changes on condition that nobody else has: `--runs N`.
 * Each request takes 10 to 40 ms.
 */
const { values } = parseArgs({ options: { runs: { type: 'string', default: '5000' } } });
const RUNS = Number(values.runs);
const KEY = { key: 'nightly' };
const RACES = 10;

interface Count {
  requests: number;
}

/** Takes as long as S3 does. */
function slowBucket(): Bucket {
  const memory = memoryBucket();
  const { s3 } = memory;
  const send = async (command: Parameters<typeof s3.send>[0]): Promise<unknown> => {
    await delay(10 + 30 * Math.random());
    return s3.send(command);
  };
  return { ...memory, sleep: delay, s3: { send } as unknown as Bucket['s3'] };
}

/** One object for holder and queue. */
function oneObject(bucket: Bucket): Pick<Locks, 'acquire'> {
  return {
    async acquire(_name, { runId }) {
      for (let races = 0; races < RACES; races += 1) {
        const stored = await getText(bucket, 'lock.json');
        const { holder, queue } = (stored === undefined ? { queue: [] } : jsonOf(stored.text)) as {
          readonly holder?: RunId;
          readonly queue: readonly RunId[];
        };
        const next = holder === undefined ? { holder: runId, queue } : { holder, queue: [...queue, runId] };
        const condition = stored === undefined ? 'absent' : { eTag: stored.eTag };
        if ((await putIf(bucket, 'lock.json', JSON.stringify(next), condition)) === undefined) continue;
        return holder === undefined ? { held: true } : { held: false, holder };
      }
      throw new DispatchError('StorageUnavailable', `changed hands ${RACES} times meanwhile`);
    },
  };
}

interface Joined {
  readonly joined: number;
  readonly gaveUp: number;
  readonly requests: number;
  readonly most: number;
  readonly seconds: number;
}

async function join(make: (bucket: Bucket) => Pick<Locks, 'acquire'>): Promise<Joined> {
  const begun = performance.now();
  const shared = slowBucket();
  const counts = await Promise.all(
    Array.from({ length: RUNS }, async (_, index) => {
      const count: Count = { requests: 0 };
      const locks = make(countedBy(shared, count));
      const contender: Contender = { runId: runIdFor(`run ${index}`), since: index };
      const state = await locks.acquire(KEY, contender, { enqueue: true }).catch(() => undefined);
      return { ...count, joined: state !== undefined };
    }),
  );
  return {
    joined: counts.filter(({ joined }) => joined).length,
    gaveUp: counts.filter(({ joined }) => !joined).length,
    requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    most: Math.max(...counts.map(({ requests }) => requests)),
    seconds: (performance.now() - begun) / 1000,
  };
}

function countedBy(bucket: Bucket, count: Count): Bucket {
  const send = (command: Parameters<typeof bucket.s3.send>[0]): unknown => {
    count.requests += 1;
    return bucket.s3.send(command);
  };
  return { ...bucket, s3: { send } as unknown as Bucket['s3'] };
}

const ways = { 'one object': await join(oneObject), 'a place each': await join(createS3Locks) };
console.log(`${RUNS} runs of one concurrency key at once\n`);
console.log('way            joined  gave up  requests  most of one  seconds');
for (const [way, { joined, gaveUp, requests, most, seconds }] of Object.entries(ways)) {
  const cells = [joined, gaveUp, requests, most, seconds.toFixed(1)].map(String);
  const widths = [6, 7, 8, 11, 7];
  console.log(`${way.padEnd(13)}  ${cells.map((cell, n) => cell.padStart(widths[n] ?? 0)).join('  ')}`);
}
console.log(JSON.stringify({ bench: 'hot-key', runs: RUNS, ways }));
