import {
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { awsCode, awsStatus, fromAwsError } from '../core/aws-error.ts';
import { defined } from '../core/defined.ts';
import { describeError, DispatchError } from '../core/errors.ts';
import { mapConcurrent } from '../core/map-concurrent.ts';
import { isBelow, type StateStorage, type StateStorages, type StoredSavepoint, type StoredState } from './storage.ts';

export interface S3StateDeps {
  readonly s3: S3Client;
  /** Prefixes, `s3://bucket/prefix`, of `allow.stateStorage`: nothing else is asked for. */
  readonly allowed: readonly string[];
}

/** A directory in S3, under the scheme that it was named by. */
interface Place {
  readonly scheme: string;
  readonly bucket: string;
  /** Without slashes at its ends. */
  readonly key: string;
}

const METADATA = '_metadata';
/** Requests for metadata at a time. */
const AT_A_TIME = 8;

/** State in S3, under the schemes of Flink's two file systems. */
export function s3StateStorages(deps: S3StateDeps): StateStorages {
  const storage = s3StateStorage(deps);
  return (uri) => {
    placeOf(uri);
    return storage;
  };
}

function s3StateStorage({ s3, allowed }: S3StateDeps): StateStorage {
  return {
    look: async (path) => metadata(s3, allowedPlace(path, allowed)),
    async savepoints(directory) {
      const place = allowedPlace(directory, allowed);
      return complete(s3, await foldersOf(s3, place, ''));
    },
    async savepointsBelow(directory, start) {
      const folders = await foldersOf(s3, allowedPlace(directory, allowed), start);
      const places = await mapConcurrent(folders, AT_A_TIME, (folder) => foldersOf(s3, folder, ''));
      return complete(s3, places.flat());
    },
    async checkpoints(directory, jobId) {
      const place = allowedPlace(directory, allowed);
      const found = await complete(s3, await foldersOf(s3, { ...place, key: joined(place.key, jobId) }, 'chk-'));
      return found.flatMap(numbered).sort((a, b) => b.number - a.number);
    },
    async remove(path) {
      const place = allowedPlace(path, allowed);
      if (place.key === '') throw denied(path, 'is a whole bucket, which is never removed');
      await removeAll(s3, place);
    },
  };
}

function numbered(found: StoredSavepoint): (StoredSavepoint & { readonly number: number })[] {
  const number = /\/chk-(\d+)$/.exec(found.path)?.[1];
  return number === undefined ? [] : [{ ...found, number: Number(number) }];
}

/** @throws DispatchError `StateStorageDenied` */
function placeOf(uri: string): Place {
  const [, scheme, bucket, key] = /^(s3[ap]?):\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(uri) ?? [];
  if (scheme === undefined || bucket === undefined) {
    throw denied(uri, 'is in no storage that the dispatcher can look at: that is s3, s3a and s3p');
  }
  return { scheme, bucket, key: (key ?? '').replace(/^\/+|\/+$/g, '') };
}

function allowedPlace(uri: string, allowed: readonly string[]): Place {
  const place = placeOf(uri);
  // What is compared is what is asked for.
  if (!allowed.some((prefix) => isBelow(uriOf(place), prefix))) throw denied(uri, 'is not in allow.stateStorage');
  return place;
}

function uriOf({ scheme, bucket, key }: Place): string {
  return key === '' ? `${scheme}://${bucket}` : `${scheme}://${bucket}/${key}`;
}

function joined(key: string, name: string): string {
  return key === '' ? name : `${key}/${name}`;
}

/** `undefined` too for what is no metadata: Flink would not read it either. */
async function metadata(s3: S3Client, place: Place): Promise<StoredState | undefined> {
  const key = joined(place.key, METADATA);
  try {
    const Range = `bytes=0-${HEADER - 1}`;
    return headerOf(await s3.send(new GetObjectCommand({ Bucket: place.bucket, Key: key, Range })));
  } catch (error) {
    // 416: it has no byte.
    if ([404, 416].includes(awsStatus(error) ?? 0) && awsCode(error) !== 'NoSuchBucket') return undefined;
    throw failure(error, 's3:GetObject', uriOf({ ...place, key }));
  }
}

/** Checkpoints.storeCheckpointMetadata: the magic number, the version of the format, then the id, all big-endian. */
const MAGIC = 0x4960672d;
const HEADER = 16;

async function headerOf(answer: GetObjectCommandOutput): Promise<StoredState | undefined> {
  const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  if (bytes.length < HEADER || bytes.readInt32BE(0) !== MAGIC) return undefined;
  const size = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
  return {
    at: answer.LastModified?.getTime() ?? 0,
    bytes: Number(size ?? bytes.length),
    checkpointId: Number(bytes.readBigInt64BE(8)),
  };
}

async function complete(s3: S3Client, places: readonly Place[]): Promise<StoredSavepoint[]> {
  const looked = await mapConcurrent(places, AT_A_TIME, async (place) => ({ place, state: await metadata(s3, place) }));
  return looked.flatMap(({ place, state }) => (state === undefined ? [] : [{ path: uriOf(place), ...state }]));
}

/** The folders directly below whose names begin with `start`. */
async function foldersOf(s3: S3Client, place: Place, start: string): Promise<Place[]> {
  const prefix = place.key === '' ? start : `${place.key}/${start}`;
  const found: Place[] = [];
  for await (const { CommonPrefixes = [] } of pages(s3, place, { Prefix: prefix, Delimiter: '/' })) {
    found.push(...CommonPrefixes.map(({ Prefix = '' }) => ({ ...place, key: Prefix.replace(/\/+$/, '') })));
  }
  return found;
}

/** First what makes a snapshot a complete one: one that is removed by half is none. */
async function removeAll(s3: S3Client, place: Place): Promise<void> {
  await removeKeys(s3, place, (key) => key.endsWith(`/${METADATA}`));
  await removeKeys(s3, place, () => true);
}

async function removeKeys(s3: S3Client, place: Place, goes: (key: string) => boolean): Promise<void> {
  for await (const { Contents = [] } of pages(s3, place, { Prefix: `${place.key}/` })) {
    const Objects = Contents.flatMap(({ Key = '' }) => (goes(Key) ? [{ Key }] : []));
    if (Objects.length === 0) continue;
    const command = new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects, Quiet: true } });
    const { Errors: [first] = [] } = await ask('s3:DeleteObject', uriOf(place), () => s3.send(command));
    if (first !== undefined) throw refusedDelete(uriOf({ ...place, key: first.Key ?? '' }), first.Code, first.Message);
  }
}

async function* pages(
  s3: S3Client,
  place: Place,
  page: { readonly Prefix: string; readonly Delimiter?: string },
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  do {
    const input = { Bucket: place.bucket, ...page, ...defined({ ContinuationToken: token }) };
    const answer = await ask('s3:ListBucket', uriOf(place), () => s3.send(new ListObjectsV2Command(input)));
    yield answer;
    token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
  } while (token !== undefined);
}

async function ask<T>(action: string, uri: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw failure(error, action, uri);
  }
}

/** What is no passing trouble will be refused again. */
function failure(error: unknown, action: string, uri: string): DispatchError {
  const { reason } = fromAwsError(error, { action, resource: uri });
  if (reason === 'StorageUnavailable') {
    const message = `${action} on ${uri} did not succeed: ${describeError(error)}`;
    return new DispatchError('StateStorageUnavailable', message, { cause: error });
  }
  return denied(uri, `needs ${action}, which was refused: ${describeError(error)}`, error);
}

function refusedDelete(uri: string, code = 'unknown', message = 'no reason given'): DispatchError {
  const what = `${code}: ${message}`;
  if (/Denied|Forbidden/.test(code)) return denied(uri, `needs s3:DeleteObject, which was refused: ${what}`);
  return new DispatchError('StateStorageUnavailable', `s3:DeleteObject on ${uri} did not succeed: ${what}`);
}

function denied(uri: string, what: string, cause?: unknown): DispatchError {
  return new DispatchError('StateStorageDenied', `${uri} ${what}`, { cause });
}
