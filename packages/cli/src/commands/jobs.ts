import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { parseObjectText } from '../../../../lib/core/yaml.ts';
import { parseManifestOrSpec } from '../../../../lib/job/spec/manifest.ts';
import { storedJobKey } from '../../../../lib/job/spec/stored-jobs.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { readTextFile } from '../flags/conf-dir.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { openLedgerBucket, type LedgerBucket } from '../ledger-bucket.ts';
import { harmless, printJson, type Io } from '../terminal/io.ts';
import { onlyArgument } from '../flags/only-argument.ts';

interface Store extends LedgerBucket {
  readonly tenant: string | undefined;
}

async function open(io: Io, parsed: ParsedFlags): Promise<Store> {
  return { ...(await openLedgerBucket(io, parsed)), tenant: valueOf(parsed, 'tenant') };
}

/** Stores a spec under a name that messages and schedules may call it by. */
export const put: Execute = async (io, parsed) => {
  const name = onlyArgument(parsed, 'jobs put <name> -f <file>');
  const file = valueOf(parsed, 'file');
  if (file === undefined) throw new UsageError('jobs put needs the spec: -f <file>');
  const text = readTextFile(file, '-f');
  parseManifestOrSpec(parseObjectText(text, `-f ${file}: the file`));
  const { s3, bucket, tenant, asked } = await open(io, parsed);
  const key = storedJobKey(name, tenant);
  await asked(s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/yaml' })));
  io.out(`s3://${bucket}/${key}\n`);
  return 0;
};

/** Prints a stored spec as it is. */
export const get: Execute = async (io, parsed) => {
  const name = onlyArgument(parsed, 'jobs get <name>');
  const { s3, bucket, tenant, asked } = await open(io, parsed);
  const key = storedJobKey(name, tenant);
  const stored = s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw error;
  });
  const text = await (await asked(stored))?.Body?.transformToString();
  if (text === undefined) throw new UsageError(`there is no stored job '${name}' at s3://${bucket}/${key}: jobs list`);
  io.out(harmless(text));
  return 0;
};

/** Names of stored jobs, of all that have no tenant or of one's. */
export const list: Execute = async (io, parsed) => {
  const { s3, bucket, tenant, asked } = await open(io, parsed);
  const prefix = tenant === undefined ? 'jobs/' : `jobs/${tenant}/`;
  const names: string[] = [];
  for (let token: string | undefined, more = true; more;) {
    const from = token === undefined ? {} : { ContinuationToken: token };
    const page = await asked(s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...from })));
    const keys = (page.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length));
    names.push(...keys.flatMap((key) => /^([^/]+)\.yaml$/.exec(key)?.[1] ?? []));
    token = page.NextContinuationToken;
    more = token !== undefined;
  }
  if (has(parsed, 'json')) printJson(io, names);
  else io.out(harmless(names.map((name) => `${name}\n`).join('')));
  return 0;
};
