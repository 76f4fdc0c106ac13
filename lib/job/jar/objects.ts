/** One object of a bucket; `versionId` or `eTag` pin its content. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  readonly eTag?: string;
}

export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  readonly eTag: string;
  readonly versionId?: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** From `offset`, or the last `length` bytes when it is absent. */
export interface ByteRange {
  readonly offset?: number;
  readonly length: number;
}

/**
 * Objects to read. Methods throw DispatchError `JarNotFound` (also when the pinned content is gone), `JarAccessDenied`,
 * or `StorageUnavailable`, which is worth another try.
 */
export interface ObjectStore {
  /** Fewer bytes than asked for when the object ends before; the head comes with every answer. */
  read(ref: ObjectRef, range: ByteRange): Promise<{ readonly head: ObjectHead; readonly bytes: Uint8Array }>;
  head(ref: ObjectRef): Promise<ObjectHead>;
  /** UTF-8 text of a small object; `undefined` when there is none. @throws DispatchError `InvalidSpec` beyond `limit` bytes */
  text(ref: ObjectRef, limit: number): Promise<string | undefined>;
}
