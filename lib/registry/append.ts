import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { choose, fits, flinkHomeOf, manifestWith, platformText, withLayer, type NewLayer } from './image.ts';
import { layerOf, type LayerFile } from './layer.ts';
import { isIndex, MEDIA, parseConfig, parseIndex, parseManifest, sha256 } from './manifest.ts';
import type { Descriptor, ImageConfig, ImageManifest, Manifest } from './manifest.ts';
import { mapConcurrent } from '../core/map-concurrent.ts';
import type { Content, Registry } from './port.ts';
import { nameOf, type RepositoryName } from './reference.ts';

export interface AppendRequest {
  readonly base: RepositoryName & { readonly digest: string };
  readonly to: RepositoryName;
  /** Keeps the image from being taken for garbage. */
  readonly tag: string;
  readonly files: readonly LayerFile[];
  /** `linux/amd64`; default: all of Linux that the base has. */
  readonly platforms?: readonly string[];
  /** The digest of the layer, when the same files have been a layer before; by Flink's home. */
  readonly knownLayer?: (home: string) => Promise<string | undefined>;
}

export interface Appended {
  readonly digest: string;
  readonly home: string;
  readonly layer: NewLayer;
}

/** An image of the base that the new one is made of. */
interface Part {
  readonly manifest: Manifest;
  readonly content: ImageManifest;
  readonly config: ImageConfig;
  readonly home: string;
  readonly descriptor?: Descriptor;
}

/** Blobs that are asked for, mounted or copied at once. */
const AT_ONCE = 4;
/** Of one configuration; those of all platforms are held at once. Flink's have 10 kB. */
const MAX_CONFIG = 1024 * 1024;

/**
 * Appends one layer with files to an image, in the registry. What was done before a failure is found again by the next
 * call, and what is there is not sent. The image is visible only when it is whole.
 * @throws DispatchError `ImageNotFound`, `ImageUnsuitable`, `InvalidSpec`, or as `Registry`
 */
export async function appendLayer(registry: Registry, request: AppendRequest): Promise<Appended> {
  const { base, to, files } = request;
  const top = await requireManifest(registry, base, base.digest);
  const parts = await partsOf(registry, request, top);
  const home = oneHome(parts, nameOf(base));
  const content = layerOf(home, files);
  const known = await request.knownLayer?.(home);
  const layer = await putLayer(registry, to, content, known);
  const made: Descriptor[] = [];
  for (const part of parts) made.push(await putImage(registry, request, part, layer));
  const [only] = made;
  if (!isIndex(top) && only !== undefined) return { digest: only.digest, home, layer };
  const index = manifestOf({ ...parseIndex(top, nameOf(base)), subject: undefined, manifests: made }, top.mediaType);
  await registry.putManifest(to, index, request.tag);
  return { digest: index.digest, home, layer };
}

async function partsOf(
  registry: Registry,
  { base, platforms }: AppendRequest,
  top: Manifest,
): Promise<readonly Part[]> {
  const image = nameOf(base);
  const descriptors = isIndex(top) ? choose(parseIndex(top, image), platforms, image) : [undefined];
  const parts = await mapConcurrent(descriptors, AT_ONCE, async (descriptor): Promise<Part> => {
    const manifest = descriptor === undefined ? top : await requireManifest(registry, base, descriptor.digest);
    const content = parseManifest(manifest, image);
    const config = parseConfig(await readSmall(registry, base, content.config), image);
    return { manifest, content, config, home: flinkHomeOf(config, image), ...defined({ descriptor }) };
  });
  const [first] = parts;
  if (!isIndex(top) && first !== undefined) checkPlatform(first.config, platforms, image);
  return parts;
}

/** An image of one platform is that or is none. */
function checkPlatform(config: ImageConfig, wanted: readonly string[] | undefined, image: string): void {
  const { os = 'linux', architecture = 'unknown', variant } = config;
  const own = platformText({ os, architecture, ...defined({ variant }) });
  const missing = wanted?.find((name) => !fits(own, name));
  if (missing === undefined) return;
  throw new DispatchError('ImageNotFound', `${image} is for ${own} and has no image for ${missing}`, {
    field: 'image',
  });
}

function oneHome(parts: readonly Part[], image: string): string {
  const homes = [...new Set(parts.map(({ home }) => home))];
  const [home] = homes;
  if (home !== undefined && homes.length === 1) return home;
  const message = `${image} has Flink in different folders by platform: ${homes.join(', ')}`;
  throw new DispatchError('ImageUnsuitable', message, { field: 'image' });
}

async function putLayer(
  registry: Registry,
  to: RepositoryName,
  content: Content,
  known: string | undefined,
): Promise<NewLayer> {
  const { digest } = await registry.putBlob(to, { ...content, ...defined({ digest: known }) });
  return { digest, size: content.size };
}

/** One image: what it shares with its base, its configuration, its manifest. */
async function putImage(registry: Registry, request: AppendRequest, part: Part, layer: NewLayer): Promise<Descriptor> {
  const { base, to, tag, files } = request;
  await mapConcurrent(part.content.layers, AT_ONCE, (descriptor) => takeOver(registry, base, to, descriptor));
  const createdBy = `flink-dispatch: ${files.map(({ path }) => path).join(' ')}`;
  const text = JSON.stringify(withLayer(part.config, layer, createdBy));
  const bytes = Buffer.from(text, 'utf8');
  const config = { digest: sha256(bytes), size: bytes.byteLength };
  await registry.putBlob(to, { digest: config.digest, size: config.size, open: () => once(bytes) });
  const { content, manifest, descriptor } = part;
  const made = manifestOf(
    manifestWith(content, manifest.digest, manifest.mediaType, { config, layer }),
    manifest.mediaType,
  );
  await registry.putManifest(to, made, descriptor === undefined ? tag : made.digest);
  const size = Buffer.byteLength(made.text, 'utf8');
  return { ...descriptor, annotations: undefined, mediaType: manifest.mediaType, digest: made.digest, size };
}

/** Found, mounted, or copied when the base is in another registry. */
async function takeOver(
  registry: Registry,
  base: RepositoryName,
  to: RepositoryName,
  descriptor: Descriptor,
): Promise<void> {
  const { digest, size } = descriptor;
  await registry.putBlob(to, {
    digest,
    size,
    open: () => registry.blob(base, descriptor),
    ...(base.host === to.host && base.repository !== to.repository ? { mountFrom: base.repository } : {}),
  });
}

async function requireManifest(registry: Registry, image: RepositoryName, digest: string): Promise<Manifest> {
  const manifest = await registry.manifest(image, digest);
  if (manifest === undefined)
    throw new DispatchError('ImageNotFound', `${nameOf(image)} has no image ${digest}`, { field: 'image' });
  const known: readonly string[] = Object.values(MEDIA);
  if (known.includes(manifest.mediaType)) return manifest;
  const message = `${nameOf(image)} has a manifest of the type ${manifest.mediaType}, which is none of an image`;
  throw new DispatchError('ImageUnsuitable', message, { field: 'image' });
}

async function readSmall(registry: Registry, image: RepositoryName, descriptor: Descriptor): Promise<string> {
  if (descriptor.size > MAX_CONFIG)
    throw new DispatchError('ImageUnsuitable', `${nameOf(image)} has a configuration of ${descriptor.size} bytes`, {
      field: 'image',
    });
  const chunks: Uint8Array[] = [];
  for await (const chunk of registry.blob(image, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function manifestOf(content: object, mediaType: string): Manifest {
  const text = JSON.stringify(content);
  return { text, mediaType, digest: sha256(text) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
