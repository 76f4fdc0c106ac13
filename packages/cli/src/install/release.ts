import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';

declare const FLINK_DISPATCH_RELEASE: string | undefined;

/** What is deployed: a template and a zip for each function. */
export interface Release {
  readonly version: string;
  readonly template: Template;
  readonly zips: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** The one that is in the package. */
export function ownRelease(): string {
  const folder = typeof FLINK_DISPATCH_RELEASE === 'string' ? FLINK_DISPATCH_RELEASE : '../../../../dist/release/';
  return fileURLToPath(new URL(folder, import.meta.url));
}

/** @throws UsageError for a folder that holds none */
export function readRelease(folder: string): Release {
  try {
    const template = JSON.parse(readFileSync(join(folder, 'template.json'), 'utf8')) as Template;
    const version = template.Parameters['CodeVersion']?.Default;
    const names = readdirSync(folder).filter((name) => name.endsWith('.zip'));
    if (version === undefined || names.length === 0) throw new Error('no release');
    const zips = names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    return { version: String(version), template, zips };
  } catch {
    throw new UsageError(
      `there is no release in ${folder}: npm run build makes one, and --release names another folder`,
    );
  }
}
