import { MAX_CLUSTER_ID_LENGTH, sha256Hex } from '../../core/ids.ts';

const NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** A job's name begins the names of its clusters, so it follows their rule. */
export function isJobName(text: string): boolean {
  return text.length <= MAX_CLUSTER_ID_LENGTH && NAME.test(text);
}

/** A valid name from a file's path, an S3 key or a stored job's name: `nightly/Word Count_v2.jar` gives `word-count-v2`. */
export function nameFromKey(key: string): string {
  const base = key.split('/').at(-1) ?? '';
  const slug = base
    .replace(/\.(jar|sql|py|ya?ml|json)$/i, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+/, '')
    .slice(0, MAX_CLUSTER_ID_LENGTH)
    .replace(/-+$/, '');
  if (slug !== '') return slug;
  // Names without a letter of a to z would all be one, and a name is the default of the concurrency key.
  return base === '' ? 'flink-job' : `flink-job-${sha256Hex(base).slice(0, 8)}`;
}
