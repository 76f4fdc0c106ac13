import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { FaultKind } from '../faults.ts';
import type { Failures, Invocation, Simulation } from '../simulation.ts';
import { failuresOf, noAnswer } from './aws-failures.ts';

interface Stored {
  readonly body: Uint8Array | string;
  /** As S3's: of the content alone, so that what is written back has the tag that it had. */
  readonly eTag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: number;
  /** Base64, where it was asked for. */
  readonly sum?: string;
}

export interface Put {
  readonly key: string;
  readonly text: string;
  readonly before: string | undefined;
  readonly by: string;
}

interface Input {
  readonly Bucket?: string;
  readonly Key?: string;
  readonly Body?: Uint8Array | string;
  readonly Metadata?: Record<string, string>;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly Range?: string;
  readonly Prefix?: string;
  readonly StartAfter?: string;
  readonly MaxKeys?: number;
  readonly Delimiter?: string;
  readonly Delete?: { readonly Objects?: readonly { readonly Key?: string }[] };
  readonly CopySource?: string;
  readonly CopySourceIfMatch?: string;
}

const READ: readonly FaultKind[] = ['refused', 'throttled', 'lost', 'slow', 'crash-before', 'crash-after'];
const WRITE: readonly FaultKind[] = [...READ, 'late', 'resent'];
const CONDITIONAL: readonly FaultKind[] = [...WRITE, 'conflict'];

const failure = failuresOf(S3ServiceException, 'client');

const FAILURES: Failures = {
  refused: () => failure('InternalError', 500),
  throttled: () => failure('SlowDown', 503),
  conflict: () => failure('ConditionalRequestConflict', 409),
  noAnswer,
};

/** One S3 with all its buckets: reads after writes, lists in order, conditional writes. */
export class MemoryS3 {
  readonly objects = new Map<string, Stored>();
  onPut: (put: Put) => void = () => undefined;
  onCopy: (path: string, body: Uint8Array) => void = () => undefined;
  /** A function deletes what is there. */
  onRemove: (path: string, by: string) => void = () => undefined;
  /** Not every store of this protocol does. */
  sums = true;
  private readonly sim: Pick<Simulation, 'now' | 'effect'>;

  constructor(sim: Pick<Simulation, 'now' | 'effect'>) {
    this.sim = sim;
  }

  /** The service as one function's client sees it. */
  client(invocation: Invocation): S3Client {
    const send = (command: { readonly input: unknown }): Promise<unknown> => {
      const input = command.input as Input;
      const path = input.Key ?? input.Prefix ?? '';
      const ask = (verb: string, kinds: readonly FaultKind[], act: () => unknown): Promise<unknown> =>
        this.sim.effect(invocation, { what: `s3 ${verb} ${path}`, act, kinds, failures: FAILURES, latency: [8, 60] });
      if (command instanceof GetObjectCommand) return ask('get', READ, () => this.get(input));
      if (command instanceof HeadObjectCommand) return ask('head', READ, () => this.get(input));
      if (command instanceof ListObjectsV2Command) return ask('list', READ, () => this.list(input));
      if (command instanceof CopyObjectCommand) return ask('copy', WRITE, () => this.copy(input));
      if (command instanceof DeleteObjectsCommand)
        return ask('delete all', WRITE, () => this.removeAll(input, invocation.label));
      if (command instanceof DeleteObjectCommand) return ask('delete', WRITE, () => this.remove(input));
      if (command instanceof PutObjectCommand) {
        const conditional = input.IfMatch !== undefined || input.IfNoneMatch !== undefined;
        return ask('put', conditional ? CONDITIONAL : WRITE, () => this.put(input, invocation.label));
      }
      return Promise.reject(new Error(`the simulated S3 does not know ${command.constructor.name}`));
    };
    return { send } as unknown as S3Client;
  }

  /** As a user does, outside of any function. */
  store(path: string, body: Uint8Array | string): void {
    this.objects.set(path, { body, eTag: tagOf(body), metadata: {}, modified: this.sim.now });
  }

  text(path: string): string | undefined {
    const body = this.objects.get(path)?.body;
    return body === undefined || typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  }

  keys(prefix: string): readonly string[] {
    return [...this.objects.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  private get(input: Input): unknown {
    const stored = this.objects.get(pathOf(input));
    if (stored === undefined) throw failure('NoSuchKey', 404);
    if (input.IfMatch !== undefined && input.IfMatch !== stored.eTag) throw failure('PreconditionFailed', 412);
    if (input.IfNoneMatch === stored.eTag) throw failure('NotModified', 304);
    const bytes = typeof stored.body === 'string' ? Buffer.from(stored.body) : stored.body;
    const part = slice(bytes, input.Range);
    return {
      Body: {
        transformToString: () => Promise.resolve(Buffer.from(part).toString('utf8')),
        transformToByteArray: () => Promise.resolve(part),
        // eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
        async *[Symbol.asyncIterator]() {
          yield part;
        },
      },
      ETag: stored.eTag,
      Metadata: stored.metadata,
      LastModified: new Date(stored.modified),
      ...(stored.sum === undefined ? {} : { ChecksumSHA256: stored.sum, ChecksumType: 'FULL_OBJECT' }),
      ContentLength: part.length,
      ContentRange: `bytes 0-${part.length - 1}/${bytes.length}`,
    };
  }

  private put(input: Input, by: string): unknown {
    const path = pathOf(input);
    const known = this.objects.get(path);
    if (input.IfNoneMatch === '*' && known !== undefined) throw failure('PreconditionFailed', 412);
    if (input.IfMatch !== undefined && known === undefined) throw failure('NoSuchKey', 404);
    if (input.IfMatch !== undefined && input.IfMatch !== known?.eTag) throw failure('PreconditionFailed', 412);
    const body = input.Body ?? '';
    const eTag = tagOf(body);
    const before = typeof known?.body === 'string' ? known.body : undefined;
    this.objects.set(path, { body, eTag, metadata: input.Metadata ?? {}, modified: this.sim.now });
    if (typeof body === 'string') this.onPut({ key: input.Key ?? '', text: body, before, by });
    return { ETag: eTag };
  }

  /** S3 copies by itself, onto itself too, and computes the sum. */
  private copy(input: Input): unknown {
    const from = (input.CopySource ?? '').split('/').map(decodeURIComponent).join('/');
    const stored = this.objects.get(from);
    if (stored === undefined) throw failure('NoSuchKey', 404);
    const wanted = input.CopySourceIfMatch;
    if (wanted !== undefined && wanted !== stored.eTag) throw failure('PreconditionFailed', 412);
    const { body, eTag } = stored;
    const sum = this.sums ? { sum: createHash('sha256').update(body).digest('base64') } : {};
    const copy = { body, eTag, metadata: input.Metadata ?? {}, modified: this.sim.now, ...sum };
    this.objects.set(pathOf(input), copy);
    this.onCopy(pathOf(input), typeof body === 'string' ? Buffer.from(body) : body);
    return { CopyObjectResult: { ETag: eTag, ...(this.sums ? { ChecksumSHA256: sum.sum } : {}) } };
  }

  private remove(input: Input): unknown {
    const known = this.objects.get(pathOf(input));
    if (input.IfMatch !== undefined && known !== undefined && input.IfMatch !== known.eTag)
      throw failure('PreconditionFailed', 412);
    this.objects.delete(pathOf(input));
    return {};
  }

  private removeAll({ Bucket = '', Delete }: Input, by: string): unknown {
    const objects = Delete?.Objects ?? [];
    if (objects.length === 0 || objects.length > 1000) throw failure('MalformedXML', 400);
    for (const { Key = '' } of objects) {
      if (this.objects.delete(`${Bucket}/${Key}`)) this.onRemove(`${Bucket}/${Key}`, by);
    }
    return {};
  }

  private list(input: Input): unknown {
    const { Bucket = '', Prefix = '', StartAfter = '', MaxKeys = 1000, Delimiter } = input;
    const keys = this.keys(`${Bucket}/${Prefix}`).map((path) => path.slice(Bucket.length + 1));
    if (Delimiter !== undefined) return { CommonPrefixes: foldersOf(keys, Prefix, Delimiter) };
    const behind = keys.filter((key) => key > StartAfter);
    const found = behind.slice(0, MaxKeys);
    return {
      IsTruncated: found.length < behind.length,
      Contents: found.map((Key) => {
        const stored = this.objects.get(`${Bucket}/${Key}`);
        return { Key, ETag: stored?.eTag, LastModified: new Date(stored?.modified ?? 0) };
      }),
    };
  }
}

function foldersOf(keys: readonly string[], prefix: string, delimiter: string): { readonly Prefix: string }[] {
  const ends = keys
    .map((key) => key.indexOf(delimiter, prefix.length))
    .map((end, index) => [keys[index] ?? '', end] as const);
  const folders = ends.flatMap(([key, end]) => (end < 0 ? [] : [key.slice(0, end + 1)]));
  return [...new Set(folders)].map((Prefix) => ({ Prefix }));
}

function tagOf(body: Uint8Array | string): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function pathOf({ Bucket = '', Key = '' }: Input): string {
  return `${Bucket}/${Key}`;
}

function slice(bytes: Uint8Array, range: string | undefined): Uint8Array {
  if (range === undefined) return bytes;
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  return from === '' ? bytes.subarray(-Number(to)) : bytes.subarray(Number(from), Number(to) + 1);
}
