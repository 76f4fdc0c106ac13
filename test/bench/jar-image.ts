import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createBundler } from '../../functions/bundler.ts';
import { systemClock } from '../../functions/clock.ts';
import { ACCOUNT, REGION, startAws } from '../../infra/local/aws/ministack.ts';
import { silent } from '../../infra/local/progress.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { bundleDelivery, type BundleConfig, type BundleDeps } from '../../lib/delivery/bundle.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { Jar, PinnedJar, ResolvedJob } from '../../lib/job/job.ts';
import { s3Pins } from '../../lib/job/jar/s3-pins.ts';
import { layerOf } from '../../lib/registry/layer.ts';
import { baseImage, clientFor, open, pushBase } from '../registry/support/images.ts';
import { startRegistry, type RealRegistry } from '../registry/support/distribution.ts';
import { makeBigJar } from './big-jar.ts';
import type { Goal } from './jar-manifest.ts';

const run = promisify(execFile);
const LEDGER = 'ledger';
/** What a second run sends: requests, and not a byte of a blob. */
const MOST_SENT = 4_000;

interface Cost {
  readonly requests: number;
  /** To the registry, headers and all. */
  readonly sent: number;
  readonly ms: number;
}

interface Bench {
  readonly s3: S3Client;
  readonly registry: RealRegistry;
  readonly meter: Meter;
}

/** Prints what it costs from an uploaded jar to the digest of its image, in a real registry. */
export async function benchImage(): Promise<readonly Goal[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-image-'));
  const [server, registry] = await Promise.all([
    startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent }),
    startRegistry(),
  ]);
  const meter = await new Meter(registry.host).start();
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
  const s3 = new S3Client({ endpoint: server.url, region: REGION, forcePathStyle: true, credentials });
  try {
    for (const Bucket of ['uploads', LEDGER]) await s3.send(new CreateBucketCommand({ Bucket }));
    return await measure({ s3, registry, meter }, folder);
  } finally {
    s3.destroy();
    await meter.stop();
    await Promise.all([server.stop(), registry.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(bench: Bench, folder: string): Promise<readonly Goal[]> {
  const { s3, meter } = bench;
  const bases = [baseImage({ index: true }), baseImage({ index: true, env: ['FLINK_HOME=/opt/flink', 'NEXT=1'] })];
  const client = clientFor(open(meter.host));
  for (const [index, base] of bases.entries()) await pushBase(client, meter.host, `flink-${index}`, base);
  const { ETag = '' } = await s3.send(
    new PutObjectCommand({ Bucket: 'uploads', Key: 'big.jar', Body: await makeBigJar('first') }),
  );
  const jar: Jar = {
    uri: 's3://uploads/big.jar',
    s3: { bucket: 'uploads', key: 'big.jar', eTag: ETag.replaceAll('"', '') },
  };
  let peak = 0;
  const deps = bundlerOf(bench, (bytes) => (peak = Math.max(peak, bytes)));
  const first = await costOf(bench, () => deliver(deps, jar, meter.host, 0));
  const second = await costOf(bench, () => deliver(deps, jar, meter.host, 0));
  const rebased = await costOf(bench, () => deliver(deps, jar, meter.host, 1));
  console.log(
    `${'150 MB to an image'.padEnd(30)}${['requests', 'bytes sent', 'ms'].map((cell) => cell.padStart(12)).join('')}`,
  );
  print('first run', first.cost);
  print('second run', second.cost);
  print('same jar, next base image', rebased.cost);
  await rivals(bench, deps, jar, folder);
  console.log(`memory for bytes on their way: at most ${Math.round(peak / 1024 ** 2)} MB\n`);
  return [
    { what: 'the second run of the same jar sends no byte of it', pass: second.cost.sent < MOST_SENT },
    { what: 'and is the same image', pass: first.image === second.image },
    { what: 'the next base image gets the jar without another upload', pass: rebased.cost.sent < 100_000 },
    { what: 'the jar is never in memory as a whole', pass: peak < 64 * 1024 ** 2 },
  ];
}

/** As in the functions; `watch` hears how many bytes of buffers there are beyond those at the beginning. */
function bundlerOf({ s3, meter }: Bench, watch: (bytes: number) => void): BundleDeps {
  const deployment = parseDispatchConfig(
    JSON.stringify({
      targets: { default: { namespace: 'bench', access: { kind: 'in-cluster' } } },
      registries: { [meter.host]: {} },
    }),
  );
  const { pin } = s3Pins({ s3, bucket: LEDGER, clock: systemClock });
  const deps = createBundler({ deployment, s3, ledgerBucket: LEDGER, pin, clock: systemClock });
  return {
    ...deps,
    async *read(object) {
      const before = process.memoryUsage().arrayBuffers;
      for await (const chunk of deps.read(object)) {
        watch(process.memoryUsage().arrayBuffers - before);
        yield chunk;
      }
    },
  };
}

async function deliver(deps: BundleDeps, jar: Jar, host: string, base: number, jobs = 'jobs'): Promise<string> {
  const config: BundleConfig = { kind: 'bundle', repository: `${host}/${jobs}`, files: [] };
  const options = { 'kubernetes.container.image.ref': `${host}/flink-${base}:base` };
  const job = { jar: await deps.pin(jar), options } as unknown as ResolvedJob;
  const ref = { namespace: 'bench', clusterId: parseClusterId('bench') };
  const { image = '' } = await bundleDelivery(config, deps)(job, ref);
  return image;
}

/** `crane append` of go-containerregistry, when it is at hand: it is given the layer as a file. */
async function rivals(bench: Bench, deps: BundleDeps, jar: Jar, folder: string): Promise<void> {
  const crane = process.env['CRANE'] ?? 'crane';
  if (
    !(await run(crane, ['version']).then(
      () => true,
      () => false,
    ))
  ) {
    console.log('crane append                  not here: set CRANE to the program of go-containerregistry');
    return;
  }
  const { pinned } = await deps.pin(jar);
  if (pinned === undefined) throw new Error('the jar was not kept');
  const tar = join(folder, 'layer.tar');
  await pipeline(Readable.from(deps.read(pinned)), createWriteStream(join(folder, 'big.jar')));
  await pipeline(Readable.from(layerFrom(deps, pinned)), createWriteStream(tar));
  const { host } = bench.meter;
  const onDisk = { ...deps, read: () => createReadStream(join(folder, 'big.jar')), memory: forgetful };
  print('first run, jar on the disk', (await costOf(bench, () => deliver(onDisk, jar, host, 0, 'disk'))).cost);
  const append = (): Promise<unknown> =>
    run(crane, ['append', '--insecure', '-b', `${host}/flink-0:base`, '-f', tar, '-t', `${host}/crane:jar`]);
  print('crane append, first run', (await costOf(bench, append)).cost);
  print('crane append, second run', (await costOf(bench, append)).cost);
}

/** As in a deployment that has bundled nothing yet. */
const forgetful: BundleDeps['memory'] = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };

function layerFrom(deps: BundleDeps, pinned: PinnedJar): AsyncIterable<Uint8Array> {
  return layerOf('/opt/flink', [{ ...pinned, path: 'usrlib/big.jar', open: () => deps.read(pinned) }]).open();
}

async function costOf<T>({ registry, meter }: Bench, work: () => Promise<T>): Promise<{ image: T; cost: Cost }> {
  const before = { requests: registry.counts().requests, sent: meter.sent };
  const begun = performance.now();
  const image = await work();
  const ms = performance.now() - begun;
  return {
    image,
    cost: { requests: registry.counts().requests - before.requests, sent: meter.sent - before.sent, ms },
  };
}

function print(what: string, { requests, sent, ms }: Cost): void {
  console.log(what.padEnd(30) + [requests, sent, ms].map((cell) => String(Math.round(cell)).padStart(12)).join(''));
}

/** A door before the registry that counts what goes in. */
class Meter {
  sent = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(target: string) {
    const port = Number(target.split(':').at(-1));
    this.#server = createServer((from) => {
      const to = connect(port, '127.0.0.1');
      this.#open.add(from).add(to);
      from.on('data', (chunk: Buffer) => (this.sent += chunk.length));
      from.pipe(to).pipe(from);
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    // Clients keep theirs for a next request.
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
