import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { main } from '../src/main.ts';
import { isRecord } from '../../../lib/core/json.ts';
import { parseQuantity } from '../../../lib/job/spec/quantity.ts';
import { fakeIo } from './fake-io.ts';

/**
 * Recordings of Flink's own client on a real API server, made again with the same command line. What the API server
 * fills in is in the recordings only; what we send must be in them as it is.
 */
const GOLDEN = new URL('../../../test/fixtures/flink/golden/', import.meta.url);

interface Recording {
  readonly flags: readonly string[];
  readonly jar: readonly string[];
  readonly files?: Record<string, string>;
  readonly deployment: object;
  readonly services: readonly { metadata: { name: string } }[];
  readonly configMaps: readonly {
    metadata: { name: string };
    keys?: readonly string[];
    data?: Record<string, string>;
  }[];
  readonly configFile: string;
  readonly config: Record<string, unknown>;
}

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, string>;
}

/** The folder that `FILES` stands for. */
function filesOf(recording: Recording): string {
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(recording.files ?? {})) writeFileSync(join(folder, name), text);
  return folder;
}

async function dryRun(version: string, name: string, recording: Recording): Promise<readonly Item[]> {
  const command = recording.jar.length === 0 ? ['session', 'start'] : ['run', '--target', 'kubernetes-application'];
  const files = filesOf(recording);
  const flags = recording.flags.map((flag) => flag.replaceAll('VERSION', version).replaceAll('FILES', files));
  const ours = ['--flink-version', version, '--dry-run', '-o', 'json', `-Dkubernetes.cluster-id=${name}`];
  const io = fakeIo({ FLINK_CONF_DIR: fileURLToPath(new URL(`${version}/conf`, GOLDEN)) });
  const code = await main([...command, ...ours, ...flags, ...recording.jar], io, '1');
  expect(code, io.stderr()).toBe(0);
  const { items } = JSON.parse(io.stdout().replaceAll(files, 'FILES')) as { items: Item[] };
  return items;
}

/** The API server writes quantities in its own way, and drops what is empty or a plain false. */
function asStored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStored);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).filter(
    ([key, member]) => !isEmpty(member) && !(member === false && PLAIN_FLAGS.has(key)),
  );
  return Object.fromEntries(
    members.map(([key, member]) => [key, QUANTITIES.has(key) ? amount(member) : asStored(member)]),
  );
}

const PLAIN_FLAGS = new Set(['hostNetwork', 'readOnly']);
const QUANTITIES = new Set(['cpu', 'memory']);

function amount(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'number' ? parseQuantity(String(value)) : asStored(value);
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isRecord(value) && Object.keys(value).length === 0)
  );
}

function flat(value: unknown, prefix = ''): [string, unknown][] {
  if (!isRecord(value)) return [[prefix, value]];
  return Object.entries(value).flatMap(([key, member]) => flat(member, prefix === '' ? key : `${prefix}.${key}`));
}

describe.each(['1.20.0', '2.3.0'])("Flink %s's own client", (version) => {
  const names = readdirSync(new URL(`${version}/`, GOLDEN)).filter((name) => name.endsWith('.json'));

  it.each(names.map((name) => name.replace('.json', '')))('%s', async (name) => {
    const recording = JSON.parse(readFileSync(new URL(`${version}/${name}.json`, GOLDEN), 'utf8')) as Recording;
    const items = await dryRun(version, name, recording);
    const find = (kind: string) => items.filter((item) => item.kind === kind);
    const byName = (a: Item, b: Item) => a.metadata.name.localeCompare(b.metadata.name);

    expect(asStored(recording.deployment)).toMatchObject(asStored(find('Deployment')[0]) as object);
    expect(find('Service').sort(byName)).toHaveLength(recording.services.length);
    for (const [index, service] of find('Service').entries()) {
      expect(asStored(recording.services[index])).toMatchObject(asStored(service) as object);
    }
    const maps = find('ConfigMap').sort(byName);
    expect(maps.map(({ metadata }) => metadata)).toEqual(recording.configMaps.map(({ metadata }) => metadata));
    for (const [index, map] of maps.entries()) {
      const { keys, data } = recording.configMaps[index] ?? {};
      if (keys !== undefined) expect(Object.keys(map.data ?? {}).sort()).toEqual([...keys].sort());
      if (data !== undefined) expect(map.data).toEqual(data);
    }
    const config =
      maps.find(({ data }) => data?.[recording.configFile] !== undefined)?.data?.[recording.configFile] ?? '';
    expect(Object.fromEntries(flat(parse(config)))).toEqual(recording.config);
  });
});
