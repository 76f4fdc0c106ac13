import { fromAwsError } from '../core/aws-error.ts';
import { describeError, DispatchError } from '../core/errors.ts';
import { isBelow } from './storage.ts';

/** A directory in S3, under the scheme that it was named by. */
export interface Place {
  readonly scheme: string;
  readonly bucket: string;
  /** Without slashes at its ends. */
  readonly key: string;
}

/** @throws DispatchError `StateStorageDenied` */
export function placeOf(uri: string): Place {
  const [, scheme, bucket, key] = /^(s3[ap]?):\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(uri) ?? [];
  if (scheme === undefined || bucket === undefined) {
    throw denied(uri, 'is in no storage that the dispatcher can look at: that is s3, s3a and s3p');
  }
  return { scheme, bucket, key: (key ?? '').replace(/^\/+|\/+$/g, '') };
}

export function allowedPlace(uri: string, allowed: readonly string[]): Place {
  const place = placeOf(uri);
  // What is compared is what is asked for.
  if (!allowed.some((prefix) => isBelow(uriOf(place), prefix))) throw denied(uri, 'is not in allow.stateStorage');
  return place;
}

export function uriOf({ scheme, bucket, key }: Place): string {
  return key === '' ? `${scheme}://${bucket}` : `${scheme}://${bucket}/${key}`;
}

export function joined(key: string, name: string): string {
  return key === '' ? name : `${key}/${name}`;
}

/** What is no passing trouble will be refused again. */
export function failure(error: unknown, action: string, uri: string): DispatchError {
  const { reason } = fromAwsError(error, { action, resource: uri });
  if (reason === 'StorageUnavailable') {
    const message = `${action} on ${uri} did not succeed: ${describeError(error)}`;
    return new DispatchError('StateStorageUnavailable', message, { cause: error });
  }
  return denied(uri, `needs ${action}, which was refused: ${describeError(error)}`, error);
}

export function denied(uri: string, what: string, cause?: unknown): DispatchError {
  return new DispatchError('StateStorageDenied', `${uri} ${what}`, { cause });
}
