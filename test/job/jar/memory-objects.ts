import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { ObjectHead, ObjectRef, ObjectStore } from '../../../lib/job/jar/objects.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly versionId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Objects in memory, by `bucket/key`; `requests` counts what was asked. */
export class MemoryObjects implements ObjectStore {
  readonly requests: string[] = [];
  private readonly objects = new Map<string, Stored>();

  put(path: string, content: Uint8Array | string, more: Omit<Stored, 'bytes'> = {}): this {
    this.objects.set(path, { bytes: typeof content === 'string' ? Buffer.from(content) : content, ...more });
    return this;
  }

  head(ref: ObjectRef): Promise<ObjectHead> {
    return this.answer('head', ref, ({ head }) => head);
  }

  read(
    ref: ObjectRef,
    { offset, length }: { offset?: number; length: number },
  ): Promise<{ head: ObjectHead; bytes: Uint8Array }> {
    return this.answer('read', ref, ({ head, bytes }) => {
      const from = offset ?? Math.max(0, bytes.length - length);
      return { head, bytes: bytes.subarray(from, from + length) };
    });
  }

  text(ref: ObjectRef): Promise<string | undefined> {
    const path = `${ref.bucket}/${ref.key}`;
    this.requests.push(`text ${path}`);
    const stored = this.objects.get(path);
    return Promise.resolve(stored === undefined ? undefined : Buffer.from(stored.bytes).toString('utf8'));
  }

  private async answer<T>(
    verb: string,
    ref: ObjectRef,
    make: (found: { head: ObjectHead; bytes: Uint8Array }) => T,
  ): Promise<T> {
    const path = `${ref.bucket}/${ref.key}`;
    this.requests.push(`${verb} ${path}`);
    const stored = await Promise.resolve(this.objects.get(path));
    if (stored === undefined)
      throw new DispatchError('JarNotFound', `s3://${path} does not exist`, { field: 'job.jarURI' });
    const { bytes, versionId, metadata = {} } = stored;
    const eTag = createHash('md5').update(bytes).digest('hex');
    if (ref.eTag !== undefined && ref.eTag !== eTag)
      throw new DispatchError('JarNotFound', `s3://${path} was overwritten`);
    return make({
      head: { size: bytes.length, eTag, metadata, ...(versionId === undefined ? {} : { versionId }) },
      bytes,
    });
  }
}

/** A jar of test/fixtures/jars. */
export function jarFixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../fixtures/jars/${name}.jar`, import.meta.url));
}
