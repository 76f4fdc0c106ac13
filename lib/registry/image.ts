import { posix } from 'node:path';
import { DispatchError } from '../core/errors.ts';
import {
  MEDIA,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  type Platform,
} from './manifest.ts';

export interface NewLayer {
  readonly digest: string;
  readonly size: number;
}

/**
 * Flink's home in an image, by what Flink's own images set.
 * @throws DispatchError `ImageUnsuitable`, naming `image`
 */
export function flinkHomeOf(config: ImageConfig, image: string): string {
  const value = (config.config?.Env ?? []).findLast((line) => line.startsWith('FLINK_HOME='))?.slice(11);
  if (value !== undefined && posix.isAbsolute(value) && posix.normalize(value) === value && !value.endsWith('/'))
    return value;
  const message = `${image} is no image of Flink: its environment has no FLINK_HOME with the folder of a distribution`;
  throw new DispatchError('ImageUnsuitable', message, { field: 'image' });
}

/** The configuration with one more layer. Nothing in it tells when or where it was made. */
export function withLayer(config: ImageConfig, layer: NewLayer, createdBy: string): ImageConfig {
  return {
    ...config,
    rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.digest] },
    // Images without a history have none of this layer either: the counts must agree.
    ...(config.history === undefined
      ? {}
      : { history: [...config.history, { created: '1970-01-01T00:00:00Z', created_by: createdBy }] }),
  };
}

/** The manifest with one more layer, of the same kind as it was. */
export function manifestWith(
  base: ImageManifest,
  baseDigest: string,
  mediaType: string,
  added: { readonly config: NewLayer; readonly layer: NewLayer },
): ImageManifest {
  const oci = mediaType === MEDIA.ociManifest;
  const layer = { mediaType: oci ? MEDIA.ociLayer : MEDIA.dockerLayer, ...added.layer };
  return {
    ...base,
    // With a subject the image would be a referrer of what its base refers to.
    subject: undefined,
    config: { ...base.config, ...added.config },
    layers: [...base.layers, layer],
    // Docker's manifests have none.
    ...(oci && { annotations: { ...base.annotations, 'org.opencontainers.image.base.digest': baseDigest } }),
  };
}

/** `linux/amd64`, `linux/arm64/v8`. */
export function platformText({ os, architecture, variant }: Pick<Platform, 'os' | 'architecture' | 'variant'>): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/**
 * The images of an index for the platforms that are wanted, or for every platform of Linux. Attestations, which stand in
 * an index as images of an unknown platform, are left out.
 * @throws DispatchError `ImageNotFound`, naming `image`, when one that is wanted is not there
 */
export function choose(index: ImageIndex, wanted: readonly string[] | undefined, image: string): readonly Descriptor[] {
  const images = index.manifests.filter(
    ({ platform }) => platform?.os === 'linux' && platform.architecture !== 'unknown',
  );
  const found = (wanted ?? ['linux']).map((name) => {
    const fitting = images.filter(({ platform }) => platform !== undefined && fits(platformText(platform), name));
    if (fitting.length > 0) return fitting;
    const there = images.flatMap(({ platform }) => (platform === undefined ? [] : [platformText(platform)]));
    const message = `${image} has no image for ${name}: it has ${there.join(', ') || 'none for Linux'}`;
    throw new DispatchError('ImageNotFound', message, { field: 'image' });
  });
  const chosen = new Set(found.flat());
  return images.filter((descriptor) => chosen.has(descriptor));
}

/** `linux/arm64` is any variant of it. */
export function fits(platform: string, wanted: string): boolean {
  return platform === wanted || platform.startsWith(`${wanted}/`);
}
