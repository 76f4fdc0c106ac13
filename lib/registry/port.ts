import type { Descriptor, Manifest } from './manifest.ts';
import type { RepositoryName } from './reference.ts';

export interface Resolved {
  readonly digest: string;
  readonly mediaType: string;
}

/** Bytes that can be read again from their beginning: an upload that breaks begins anew. */
export interface Content {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface BlobUpload extends Content {
  /** Absent: it is known when the bytes have been sent. */
  readonly digest?: string;
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string;
}

export interface StoredBlob {
  readonly digest: string;
  readonly how: 'existed' | 'mounted' | 'uploaded';
}

/**
 * Images to read. Methods throw DispatchError `NotAllowed` for a registry that the deployment does not name,
 * `RegistryRefused` for what another try would meet again, `RegistryUnavailable` for what it may not.
 */
export interface ImageSource {
  /** What a tag or digest stands for now; `undefined` when there is none. Costs no pull where pulls are counted. */
  resolve(image: RepositoryName, reference: string): Promise<Resolved | undefined>;
  /** Checked against `digest`; `undefined` when there is none. */
  manifest(image: RepositoryName, digest: string): Promise<Manifest | undefined>;
  /** Checked against the descriptor's digest and size when it has been read to its end. */
  blob(image: RepositoryName, descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

/** Images to write; the same errors. Every method may be repeated. */
export interface ImageSink {
  /** Sends only what the repository has not yet and cannot mount. */
  putBlob(to: RepositoryName, blob: BlobUpload): Promise<StoredBlob>;
  /** @param reference a tag, or the manifest's own digest */
  putManifest(to: RepositoryName, manifest: Manifest, reference: string): Promise<void>;
}

export type Registry = ImageSource & ImageSink;
