import { DispatchError } from '../../core/errors.ts';
import { parseObjectText, TEXT_LIMITS } from '../../core/yaml.ts';
import type { ObjectStore } from '../jar/objects.ts';

/** Jobs that messages, schedules and rules name. */
export interface StoredJobs {
  /** The tenant's stored spec, unparsed. @throws DispatchError `UnknownJob`, `MalformedRequest`, `StorageUnavailable` */
  load(name: string, tenant: string | undefined): Promise<Record<string, unknown>>;
  /** False for what the bucket of stored jobs has beside the tenant's own. */
  mayName(object: { readonly bucket: string; readonly key: string }, tenant: string | undefined): boolean;
}

const STORED_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** Stored jobs are `jobs/<name>.yaml` of the ledger bucket, a tenant's `jobs/<tenant>/<name>.yaml`. */
export function storedJobsIn(objects: ObjectStore, bucket: string): StoredJobs {
  return {
    mayName: (object, tenant) => object.bucket !== bucket || object.key.startsWith(folderOf(tenant)),
    async load(name, tenant) {
      const key = storedJobKey(name, tenant);
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

/** @throws DispatchError `UnknownJob` for what can be no name */
export function storedJobKey(name: string, tenant: string | undefined): string {
  if (STORED_NAME.test(name) && !name.includes('..')) return `${folderOf(tenant)}${name}.yaml`;
  const rule = 'letters, digits, dots, hyphens and underscores';
  throw new DispatchError('UnknownJob', `'${name}' cannot be a stored job's name: use ${rule}`, { field: 'runJob' });
}

function folderOf(tenant: string | undefined): string {
  return tenant === undefined ? 'jobs/' : `jobs/${tenant}/`;
}
