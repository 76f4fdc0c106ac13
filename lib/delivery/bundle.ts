import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { sha256Hex } from '../core/ids.ts';
import { canonicalJson } from '../core/json.ts';
import type { TargetConfig } from '../job/config/dispatch-config.ts';
import type { PinnedJar, ResolvedJob } from '../job/job.ts';
import { jarName, type PinJar } from '../job/jar/pin.ts';
import { appendLayer } from '../registry/append.ts';
import type { LayerFile } from '../registry/layer.ts';
import type { Registry } from '../registry/port.ts';
import { nameOf, parseImage, parseRepository, referenceOf } from '../registry/reference.ts';
import type { ImageReference, RepositoryName } from '../registry/reference.ts';
import { artifactsOf } from './artifacts.ts';
import type { BundleMemory } from './bundle-memory.ts';
import type { Deliver } from './delivery.ts';

export type BundleConfig = Extract<TargetConfig['jarDelivery'], { kind: 'bundle' }>;

export interface BundleDeps {
  /** For one delivery, with the time that it may take. */
  readonly registry: () => Registry;
  /** Bytes from their beginning. @throws DispatchError while they are read */
  readonly read: (object: PinnedJar) => AsyncIterable<Uint8Array>;
  readonly pin: PinJar;
  readonly memory: BundleMemory;
}

interface Made {
  readonly digest: string;
  readonly home: string;
}

/** Changed when the same files would make another layer. */
const FORMAT = 1;
/** Bytes of all files of an image. */
const MAX_BYTES = 8 * 1024 ** 3;

/**
 * The pods run the job's image with one layer more, which has the jar in `usrlib` and whatever else the job and its
 * target ask for. The same files on the same image are the same image: it is looked for before anything is sent.
 */
export function bundleDelivery(config: BundleConfig, deps: BundleDeps): Deliver {
  return async (job) => {
    const { jar } = job;
    if (jar.pinned === undefined && !jar.uri.startsWith('local:')) throw notBundled(jar.uri);
    const artifacts = artifactsOf(job);
    const further = await Promise.all(
      [...artifacts.files, ...config.files].map(async ({ from, to }) => ({
        path: to,
        pinned: await pinned(from, deps),
      })),
    );
    const own = jar.pinned && { path: usrlib(jar.pinned.key), pinned: jar.pinned };
    const files: readonly BundledFile[] = own === undefined ? further : [own, ...further];
    if (files.length === 0) return { jarUri: jar.uri };
    const { image, home } = await imageWith(job, config, files, deps);
    const jarUri = own === undefined ? jar.uri : `local://${home}/${own.path}`;
    return { jarUri, image, options: artifacts.options(home) };
  };
}

interface BundledFile {
  readonly path: string;
  readonly pinned: PinnedJar;
}

async function imageWith(
  job: ResolvedJob,
  config: BundleConfig,
  files: readonly BundledFile[],
  deps: BundleDeps,
): Promise<{ image: string; home: string }> {
  const registry = deps.registry();
  const to = parseRepository(config.repository, 'jarDelivery.repository');
  const base = await baseOf(job, registry);
  checkSize(files);
  const content = files.map(({ path, pinned: { sha256 } }) => ({ path, sha256 }));
  content.sort((a, b) => (a.path < b.path ? -1 : 1));
  const key = sha256Hex(canonicalJson({ FORMAT, base: base.digest, platforms: config.platforms, content }));
  const made = (await findMade(registry, to, key, deps)) ?? (await make());
  return { image: `${nameOf(to)}@${made.digest}`, home: made.home };

  async function make(): Promise<Made> {
    const layerKey = (home: string): string => sha256Hex(canonicalJson({ FORMAT, home, content }));
    const { digest, home, layer } = await appendLayer(registry, {
      base,
      to,
      tag: `bundle-${key.slice(0, 32)}`,
      files: files.map((file) => layerFile(file, deps)),
      ...defined({ platforms: config.platforms }),
      knownLayer: async (folder) => (await deps.memory.read('layers', layerKey(folder)))?.digest,
    });
    await deps.memory.write('layers', layerKey(home), { digest: layer.digest, home });
    await deps.memory.write('images', key, { digest, home });
    return { digest, home };
  }
}

/** What was made is remembered; whether it is still there only the registry knows. */
async function findMade(
  registry: Registry,
  to: RepositoryName,
  key: string,
  { memory }: BundleDeps,
): Promise<Made | undefined> {
  const made = await memory.read('images', key);
  if (made === undefined) return undefined;
  return (await registry.resolve(to, made.digest)) === undefined ? undefined : made;
}

async function baseOf(
  { options }: ResolvedJob,
  registry: Registry,
): Promise<ImageReference & { readonly digest: string }> {
  const image = parseImage(options['kubernetes.container.image.ref'] ?? '', 'image');
  const digest = image.digest ?? (await registry.resolve(image, referenceOf(image)))?.digest;
  if (digest !== undefined) return { ...image, digest };
  const message = `the registry has no image ${nameOf(image)}:${referenceOf(image)}`;
  throw new DispatchError('ImageNotFound', message, { field: 'image' });
}

function usrlib(key: string): string {
  return `usrlib/${jarName(key)}`;
}

/** The object as it is now, kept as the job's own jar is. */
async function pinned(from: string, { pin }: BundleDeps): Promise<PinnedJar> {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/is.exec(from) ?? [];
  const jar = await pin({ uri: from, s3: { bucket, key } });
  if (jar.pinned !== undefined) return jar.pinned;
  throw new DispatchError('Internal', `${from} was not kept`);
}

function layerFile({ path, pinned: object }: BundledFile, { read }: BundleDeps): LayerFile {
  return { path, size: object.size, sha256: object.sha256, open: () => read(object) };
}

function checkSize(files: readonly BundledFile[]): void {
  const size = files.reduce((sum, file) => sum + file.pinned.size, 0);
  if (size <= MAX_BYTES) return;
  const message = `the files of the image have ${size} bytes, and may have ${MAX_BYTES}`;
  throw new DispatchError('InvalidSpec', message, { field: 'job.jarURI' });
}

function notBundled(uri: string): DispatchError {
  const message = `the target adds jars to the job's image, which takes them from S3 alone, not from ${new URL(uri).host}`;
  return new DispatchError('InvalidSpec', message, { field: 'job.jarURI' });
}
