import { DispatchError } from '../core/errors.ts';
import { parseObjectText, TEXT_LIMITS } from '../core/yaml.ts';
import type { ObjectStore } from './objects.ts';

/** Jobs that messages, schedules and rules name. */
export interface StoredJobs {
  /** The stored spec, unparsed. @throws DispatchError `UnknownJob`, `MalformedRequest`, `StorageUnavailable` */
  load(name: string): Promise<Record<string, unknown>>;
}

const STORED_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** Stored jobs are `jobs/<name>.yaml` of the ledger bucket. */
export function storedJobsIn(objects: ObjectStore, bucket: string, prefix = 'jobs/'): StoredJobs {
  return {
    async load(name) {
      if (!STORED_NAME.test(name) || name.includes('..')) {
        const rule = 'letters, digits, dots, hyphens and underscores';
        throw new DispatchError('UnknownJob', `'${name}' cannot be a stored job's name: use ${rule}`, {
          field: 'runJob',
        });
      }
      const key = `${prefix}${name}.yaml`;
      const text = await objects.text({ bucket, key }, TEXT_LIMITS.bytes);
      if (text === undefined) {
        throw new DispatchError('UnknownJob', `there is no stored job '${name}' at s3://${bucket}/${key}`, {
          field: 'runJob',
        });
      }
      return parseObjectText(text, `s3://${bucket}/${key}`);
    },
  };
}
