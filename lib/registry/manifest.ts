import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseWith } from '../core/schema.ts';
import { DispatchError } from '../core/errors.ts';

/** Of the OCI image specification 1.1 and of Docker's image manifest version 2, schema 2. */
export const MEDIA = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const;

export const MANIFEST_TYPES = [MEDIA.ociIndex, MEDIA.dockerIndex, MEDIA.ociManifest, MEDIA.dockerManifest] as const;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be a sha256 digest');

const platform = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.int().nonnegative(),
  platform: platform.optional(),
});

/** Container runtimes take images of 127 layers at most. */
const MAX_LAYERS = 512;
/** Platforms with their attestations: Docker's own images have 30 or so. */
const MAX_IMAGES = 128;

const imageManifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(MAX_LAYERS, `must have at most ${MAX_LAYERS} layers`),
  annotations: z.record(z.string(), z.string()).optional(),
});

const imageIndex = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor).max(MAX_IMAGES, `must have at most ${MAX_IMAGES} images`),
});

const imageConfig = z.looseObject({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  config: z.looseObject({ Env: z.array(z.string()).optional() }).optional(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z.array(z.looseObject({})).optional(),
});

export type Descriptor = z.output<typeof descriptor>;
export type Platform = z.output<typeof platform>;
export type ImageManifest = z.output<typeof imageManifest>;
export type ImageIndex = z.output<typeof imageIndex>;
export type ImageConfig = z.output<typeof imageConfig>;

/** A manifest as a registry has it; `text` is what its digest is of. */
export interface Manifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly text: string;
}

export function isIndex({ mediaType }: { readonly mediaType: string }): boolean {
  return mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerIndex;
}

/** @throws DispatchError `ImageUnsuitable`, naming `image` */
export function parseManifest(manifest: Manifest, image: string): ImageManifest {
  return parsed(imageManifest, manifest.text, `the manifest of ${image}`);
}

/** @throws DispatchError `ImageUnsuitable`, naming `image` */
export function parseIndex(manifest: Manifest, image: string): ImageIndex {
  return parsed(imageIndex, manifest.text, `the index of ${image}`);
}

/** @throws DispatchError `ImageUnsuitable`, naming `image` */
export function parseConfig(text: string, image: string): ImageConfig {
  return parsed(imageConfig, text, `the configuration of ${image}`);
}

function parsed<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  try {
    return parseWith(schema, JSON.parse(text), '', 'ImageUnsuitable');
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new DispatchError('ImageUnsuitable', `${what} cannot be read: ${said}`, { field: 'image', cause: error });
  }
}

export function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
