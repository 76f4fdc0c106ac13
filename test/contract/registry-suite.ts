import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendLayer } from '../../lib/registry/append.ts';
import type { ImageConfig, ImageIndex, ImageManifest } from '../../lib/registry/manifest.ts';
import type { BlobUpload, Registry } from '../../lib/registry/port.ts';
import {
  baseImage,
  clientFor,
  fileOf,
  inPieces,
  open,
  pushBase,
  sha,
  type BaseImage,
} from '../registry/support/images.ts';

export interface RegistryWorld {
  readonly host: string;
}

/** Uploads and what became of them, to show that nothing is sent twice. */
function watch(registry: Registry): { registry: Registry; log: string[] } {
  const log: string[] = [];
  const putBlob: Registry['putBlob'] = async (to, blob) => {
    const stored = await registry.putBlob(to, blob);
    log.push(stored.how);
    return stored;
  };
  return { registry: { ...registry, putBlob }, log };
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

let serial = 0;

/** What the product relies on in any registry of the OCI distribution API. */
export function registrySuite(world: () => RegistryWorld): void {
  let registry: Registry;
  let to: { host: string; repository: string };
  beforeEach(() => {
    serial += 1;
    to = { host: world().host, repository: `jobs/contract-${process.pid}-${serial}` };
    registry = clientFor(open(world().host));
  });
  const blobOf = (bytes: Buffer): BlobUpload => ({
    digest: `sha256:${sha(bytes)}`,
    size: bytes.length,
    open: () => inPieces(bytes, 100_000),
  });

  describe('blobs', () => {
    it('are stored once, and read as they were', async () => {
      const bytes = Buffer.alloc(3_000_001, 'flink');
      const blob = blobOf(bytes);
      expect((await registry.putBlob(to, blob)).how).toBe('uploaded');
      expect((await registry.putBlob(to, blob)).how).toBe('existed');
      const descriptor = { mediaType: 'x', digest: blob.digest ?? '', size: bytes.length };
      expect((await all(registry.blob(to, descriptor))).equals(bytes)).toBe(true);
    });

    it('are sent in one pass when their digest is not known', async () => {
      const bytes = Buffer.alloc(2_000_003, 'job');
      const unknown = { size: bytes.length, open: () => inPieces(bytes, 100_000) };
      expect(await registry.putBlob(to, unknown)).toEqual({ digest: `sha256:${sha(bytes)}`, how: 'uploaded' });
      expect((await registry.putBlob(to, blobOf(bytes))).how).toBe('existed');
    });

    it('are mounted from another repository', async () => {
      const blob = blobOf(Buffer.from(`shared ${serial}`));
      await registry.putBlob({ ...to, repository: `${to.repository}/base` }, blob);
      const stored = await registry.putBlob(to, { ...blob, mountFrom: `${to.repository}/base` });
      expect(stored.how).toBe('mounted');
      expect((await registry.putBlob(to, blob)).how).toBe('existed');
    });

    it('are refused with another digest than theirs', async () => {
      const wrong = { ...blobOf(Buffer.from(`right ${serial}`)), digest: `sha256:${sha('wrong')}` };
      await expect(registry.putBlob(to, wrong)).rejects.toMatchObject({ reason: 'RegistryRefused' });
    });
  });

  describe('manifests', () => {
    it('that are not there are undefined', async () => {
      await registry.putBlob(to, blobOf(Buffer.from('any')));
      expect(await registry.resolve(to, 'none')).toBeUndefined();
      expect(await registry.manifest(to, `sha256:${sha('none')}`)).toBeUndefined();
    });

    it('without their blobs are refused', async () => {
      const { manifests } = baseImage();
      const [only] = manifests;
      if (only === undefined) throw new Error('no manifest');
      await registry.putBlob(to, blobOf(Buffer.from('any')));
      await expect(registry.putManifest(to, only, 'tag')).rejects.toMatchObject({ reason: 'RegistryRefused' });
    });
  });

  describe('an image with one more layer', () => {
    const jar = fileOf('usrlib/job.jar', Buffer.alloc(100_000, 'jar'));
    const append = (
      base: BaseImage,
      into: Registry,
      more: Partial<Parameters<typeof appendLayer>[1]> = {},
    ): ReturnType<typeof appendLayer> =>
      appendLayer(into, {
        base: { host: to.host, repository: `${to.repository}-base`, digest: base.digest },
        to,
        tag: 'bundle',
        files: [jar],
        ...more,
      });
    const read = async <T>(digest: string): Promise<T> =>
      JSON.parse((await registry.manifest(to, digest))?.text ?? 'null') as T;

    it.each([
      ['of an index', true],
      ['of one manifest', false],
    ])('%s has the base, and the jar in its place', async (_, index) => {
      const base = baseImage({ index });
      await pushBase(registry, to.host, `${to.repository}-base`, base);
      const made = await append(base, registry);
      expect((await registry.resolve(to, 'bundle'))?.digest).toBe(made.digest);
      const top = await read<ImageIndex & ImageManifest>(made.digest);
      expect(index ? top.manifests.map(({ platform }) => platform?.architecture) : []).toEqual(
        index ? ['amd64', 'arm64'] : [],
      );
      const manifest = index ? await read<ImageManifest>(top.manifests[1]?.digest ?? '') : top;
      const config = JSON.parse((await all(registry.blob(to, manifest.config))).toString()) as ImageConfig;
      expect(config.rootfs.diff_ids).toHaveLength(3);
      expect(config.rootfs.diff_ids[2]).toBe(made.layer.digest);
      expect(config.history).toHaveLength(3);
      const [, , layer] = manifest.layers;
      if (layer === undefined) throw new Error('no layer');
      expect(layer.digest).toBe(made.layer.digest);
      expect(listTar(await all(registry.blob(to, layer)))).toEqual([
        'drwxr-xr-x 0/0 opt/flink/usrlib/',
        '-rw-r--r-- 0/0 opt/flink/usrlib/job.jar',
      ]);
    });

    it('is the same again, with nothing sent when its layer is known', async () => {
      const base = baseImage({ index: true });
      await pushBase(registry, to.host, `${to.repository}-base`, base);
      const first = watch(registry);
      const made = await append(base, first.registry);
      expect(first.log.filter((how) => how === 'uploaded')).toHaveLength(3);
      expect(first.log.filter((how) => how === 'mounted')).toHaveLength(3);
      const second = watch(clientFor(open(world().host)));
      const again = await append(base, second.registry, { knownLayer: () => Promise.resolve(made.layer.digest) });
      expect(again).toEqual(made);
      expect(new Set(second.log)).toEqual(new Set(['existed']));
    });

    it('of another registry takes its layers along', async () => {
      const base = baseImage({ index: true });
      const elsewhere = `localhost:${to.host.split(':')[1] ?? ''}`;
      const both = watch(clientFor({ ...open(to.host), ...open(elsewhere) }));
      await pushBase(both.registry, elsewhere, `${to.repository}-far`, base);
      const far = { host: elsewhere, repository: `${to.repository}-far`, digest: base.digest };
      both.log.length = 0;
      const made = await append(base, both.registry, { base: far });
      expect(both.log.filter((how) => how === 'uploaded')).toHaveLength(6);
      expect((await registry.resolve(to, 'bundle'))?.digest).toBe(made.digest);
    });

    it('is made for the platforms that are asked for', async () => {
      const base = baseImage({ index: true });
      await pushBase(registry, to.host, `${to.repository}-base`, base);
      const made = await append(base, registry, { platforms: ['linux/arm64'] });
      const top = await read<ImageIndex>(made.digest);
      expect(top.manifests.map(({ platform }) => platform?.architecture)).toEqual(['arm64']);
      await expect(append(base, registry, { platforms: ['linux/s390x'] })).rejects.toMatchObject({
        reason: 'ImageNotFound',
        field: 'image',
      });
    });
  });
}

/** As the tar of this machine reads it. */
function listTar(bytes: Buffer): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'layer-'));
  try {
    writeFileSync(join(folder, 'layer.tar'), bytes);
    const listed = execFileSync('tar', ['tvf', join(folder, 'layer.tar'), '--numeric-owner'], { encoding: 'utf8' });
    return listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +\d+ 1970-01-01 \d\d:\d\d /, ' '));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
