import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { mapConcurrent } from '../core/map-concurrent.ts';
import { content, metadata, METADATA } from './s3-metadata.ts';
import { allowedPlace, denied, failure, joined, placeOf, uriOf, type Place } from './s3-place.ts';
import type { StateStorage, StateStorages, StoredSavepoint } from './storage.ts';

export interface S3StateDeps {
  readonly s3: S3Client;
  /** Prefixes, `s3://bucket/prefix`, of `allow.stateStorage`: nothing else is asked for. */
  readonly allowed: readonly string[];
}

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
    content: async (path) => content(s3, allowedPlace(path, allowed)),
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

function refusedDelete(uri: string, code = 'unknown', message = 'no reason given'): DispatchError {
  const what = `${code}: ${message}`;
  if (/Denied|Forbidden/.test(code)) return denied(uri, `needs s3:DeleteObject, which was refused: ${what}`);
  return new DispatchError('StateStorageUnavailable', `s3:DeleteObject on ${uri} did not succeed: ${what}`);
}
