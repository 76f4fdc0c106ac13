import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ACCOUNT, REGION, startAws } from '../../infra/local/aws/ministack.ts';
import { silent } from '../../infra/local/progress.ts';
import { entryClassOf } from '../../lib/job/jar/jar-manifest.ts';
import { readJar } from '../../lib/job/jar/jar.ts';
import type { Jar } from '../../lib/job/job.ts';
import { s3Objects } from '../../lib/job/jar/s3-objects.ts';
import { s3Pins } from '../../lib/job/jar/s3-pins.ts';
import { ENTRIES, makeBigJar } from './big-jar.ts';

export interface Goal {
  readonly what: string;
  readonly pass: boolean;
}

interface Cost {
  readonly requests: number;
  readonly bytes: number;
  readonly ms: number;
}

const UPLOADS = 'uploads';
const LEDGER = 'ledger';
const MOST_READS = 3;
const MOST_BYTES = 1_100_000;

/** Prints what it costs to read a manifest and to keep a jar's bytes; a whole download beside it. */
export async function benchManifest(): Promise<readonly Goal[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-jar-s3-'));
  const server = await startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent });
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
  const s3 = new S3Client({ endpoint: server.url, region: REGION, forcePathStyle: true, credentials });
  try {
    for (const Bucket of [UPLOADS, LEDGER]) await s3.send(new CreateBucketCommand({ Bucket }));
    const usual = await upload(s3, 'first');
    const odd = await upload(s3, 'middle');
    return await measure(s3, usual, odd);
  } finally {
    s3.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function upload(s3: S3Client, place: 'first' | 'middle'): Promise<Jar> {
  const key = `${place}.jar`;
  const { ETag = '' } = await s3.send(
    new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: await makeBigJar(place) }),
  );
  return { uri: `s3://${UPLOADS}/${key}`, s3: { bucket: UPLOADS, key, eTag: ETag.replaceAll('"', '') } };
}

async function measure(s3: S3Client, usual: Jar, odd: Jar): Promise<readonly Goal[]> {
  const naive = await costOf(s3, () => download(s3, usual));
  const first = await costOf(s3, () => manifest(s3, usual));
  const middle = await costOf(s3, () => manifest(s3, odd));
  const { pin } = s3Pins({ s3, bucket: LEDGER, clock: { now: () => Date.now() } });
  const kept = await costOf(s3, () => pin(usual));
  const again = await costOf(s3, () => pin(usual));
  print(`150 MB, ${ENTRIES} entries`, { requests: 'requests', bytes: 'bytes', ms: 'ms' });
  print('whole download', naive);
  print('manifest, where jar puts it', first);
  print('manifest in the middle', middle);
  print('bytes kept, first run', kept);
  print('bytes kept, second run', again);
  console.log();
  const cheap = [first, middle].every(({ requests, bytes }) => requests <= MOST_READS && bytes <= MOST_BYTES);
  return [
    { what: `the manifest in at most ${MOST_READS} reads and ${MOST_BYTES} bytes`, pass: cheap },
    { what: 'the second run of the same bytes copies and reads nothing of them', pass: again.bytes < 1000 },
  ];
}

async function manifest(s3: S3Client, { s3: ref, uri }: Jar): Promise<void> {
  if (ref === undefined) throw new Error('not in S3');
  const { attributes } = await readJar((range) => s3Objects(s3).read(ref, range), uri);
  const found = attributes === undefined ? undefined : entryClassOf(attributes);
  if (found?.startsWith('org.example.') !== true)
    throw new Error(`the manifest of ${uri} was not read: ${found ?? ''}`);
}

async function download(s3: S3Client, { s3: ref }: Jar): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: ref?.bucket, Key: ref?.key }));
  await Body?.transformToByteArray();
}

/** Requests that leave the client, and the bytes of their answers. */
async function costOf(s3: S3Client, work: () => Promise<unknown>): Promise<Cost> {
  let requests = 0;
  let bytes = 0;
  const name = 'bench-jar';
  s3.middlewareStack.add(
    (next) => async (args) => {
      requests += 1;
      const result = await next(args);
      const { method } = args.request as { readonly method: string };
      const { headers } = result.response as { readonly headers: Readonly<Record<string, string>> };
      if (method === 'GET') bytes += Number(headers['content-length'] ?? 0);
      return result;
    },
    { step: 'deserialize', priority: 'low', name },
  );
  const begun = performance.now();
  try {
    await work();
    return { requests, bytes, ms: performance.now() - begun };
  } finally {
    s3.middlewareStack.remove(name);
  }
}

function print(what: string, cost: Readonly<Record<keyof Cost, number | string>>): void {
  const text = (value: number | string): string => (typeof value === 'string' ? value : String(Math.round(value)));
  console.log(what.padEnd(30) + [cost.requests, cost.bytes, cost.ms].map((cell) => text(cell).padStart(12)).join(''));
}
