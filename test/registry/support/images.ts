import { createHash } from 'node:crypto';
import { createAuthorizer } from '../../../lib/registry/authorizer.ts';
import { createRegistry } from '../../../lib/registry/client.ts';
import { credentialsFrom, type CredentialsDeps } from '../../../lib/registry/credentials.ts';
import { createHttp } from '../../../lib/http/http.ts';
import type { LayerFile } from '../../../lib/registry/layer.ts';
import { MEDIA } from '../../../lib/registry/manifest.ts';
import type { Registry } from '../../../lib/registry/port.ts';
import type { RegistryAuth, RegistryHosts } from '../../../lib/registry/settings.ts';

export const sha = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** A client as the functions have it, that does not wait between its tries. */
export function clientFor(hosts: RegistryHosts, deps: Partial<CredentialsDeps> = {}, signal?: AbortSignal): Registry {
  const http = createHttp({ idle: 2_000 });
  const credentials = credentialsFrom({
    readSecret: () => Promise.reject(new Error('no secret is needed here')),
    ...deps,
  });
  const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
  const authorizer = createAuthorizer({ http, credentials, now: () => Date.now() });
  return createRegistry({ hosts, http, authorizer, clock, ...(signal && { signal }) });
}

export const open = (host: string, auth: RegistryAuth = { kind: 'none' }): RegistryHosts => ({ [host]: { auth } });

export function fileOf(path: string, content: Buffer | string): LayerFile {
  const bytes = Buffer.from(content);
  return { path, size: bytes.length, sha256: sha(bytes), open: () => inPieces(bytes) };
}

export async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

export interface BaseImage {
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifests: readonly { readonly mediaType: string; readonly text: string; readonly digest: string }[];
  readonly digest: string;
}

/** Flink's own image, but for its layers; `oci` and with an index, or Docker's and alone. */
export function baseImage(options: { readonly index?: boolean; readonly env?: readonly string[] } = {}): BaseImage {
  const oci = options.index === true;
  const env = options.env ?? ['PATH=/opt/flink/bin:/usr/bin', 'FLINK_HOME=/opt/flink'];
  const blobs = new Map<string, Buffer>();
  const add = (content: string, mediaType: string): { mediaType: string; digest: string; size: number } => {
    const bytes = Buffer.from(content);
    const digest = `sha256:${sha(bytes)}`;
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const image = (architecture: string): { mediaType: string; text: string; digest: string } => {
    const layers = ['java', `flink for ${architecture}`].map((text) =>
      add(`layer of ${text}`, `${oci ? MEDIA.ociLayer : MEDIA.dockerLayer}${oci ? '+' : '.'}gzip`),
    );
    const config = add(
      JSON.stringify({
        architecture,
        os: 'linux',
        created: '2026-06-01T00:00:00Z',
        config: { User: 'flink', Env: env, Entrypoint: ['/docker-entrypoint.sh'], Cmd: ['help'] },
        rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
        history: [{ created: '2026-06-01T00:00:00Z', created_by: 'java' }, { created_by: 'flink' }],
      }),
      oci ? 'application/vnd.oci.image.config.v1+json' : 'application/vnd.docker.container.image.v1+json',
    );
    const mediaType = oci ? MEDIA.ociManifest : MEDIA.dockerManifest;
    const text = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
    return { mediaType, text, digest: `sha256:${sha(text)}` };
  };
  if (!oci) {
    const only = image('amd64');
    return { blobs, manifests: [only], digest: only.digest };
  }
  const images = ['amd64', 'arm64'].map((architecture) => ({ architecture, ...image(architecture) }));
  const attestation = { ...image('unknown'), architecture: 'unknown' };
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA.ociIndex,
    manifests: [...images, attestation].map(({ architecture, mediaType, text, digest }) => ({
      mediaType,
      digest,
      size: Buffer.byteLength(text),
      platform: { os: architecture === 'unknown' ? 'unknown' : 'linux', architecture },
    })),
  };
  const text = JSON.stringify(index);
  const top = { mediaType: MEDIA.ociIndex, text, digest: `sha256:${sha(text)}` };
  return { blobs, manifests: [...images, attestation, top], digest: top.digest };
}

/** Writes the image into a registry, by its own protocol. */
export async function pushBase(registry: Registry, host: string, repository: string, base: BaseImage): Promise<void> {
  const to = { host, repository };
  for (const [digest, bytes] of base.blobs)
    await registry.putBlob(to, { digest, size: bytes.length, open: () => inPieces(bytes) });
  for (const { mediaType, text, digest } of base.manifests)
    await registry.putManifest(to, { mediaType, text, digest }, digest === base.digest ? 'base' : digest);
}
