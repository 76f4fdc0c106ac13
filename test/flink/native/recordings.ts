import { readdirSync, readFileSync } from 'node:fs';
import { isRecord } from '../../../lib/core/json.ts';
import type { ClusterRequest, ConfFiles, ProgramFlags } from '../../../lib/flink/cluster.ts';
import { parse } from 'yaml';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';

/** What Flink's own client made on a real API server, and what it was given. */
export interface Recording {
  readonly scenario: string;
  readonly flinkVersion: string;
  readonly mode: 'application' | 'session';
  readonly flags: readonly string[];
  readonly jar: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** The conf folder, where it is not the version's own. */
  readonly conf?: ConfFiles;
  readonly deployment: Record<string, unknown>;
  readonly services: readonly Record<string, unknown>[];
  readonly configMaps: readonly RecordedConfigMap[];
  readonly configFile: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** When the client refused: what it said. */
  readonly error?: string;
}

export interface RecordedConfigMap {
  readonly metadata: { readonly name: string };
  readonly keys?: readonly string[];
  readonly data?: Readonly<Record<string, string>>;
}

const FIXTURES = new URL('../../fixtures/flink/', import.meta.url);
/** `golden`: recorded before this code was written; `native`: recorded where the source left a doubt. */
const SETS = ['golden', 'native'] as const;

export const RECORDED_VERSIONS = ['1.20.0', '2.3.0'] as const;

/**
 * One key is a dotted prefix of another. By the order in a hash table the client fails on such keys, or writes a
 * configuration that lacks some of them.
 */
export const LOSES_KEYS = ['conflict-ha', 'conflict-cpu'];

export function recordings(version: string): readonly Recording[] {
  return SETS.flatMap((set) => {
    const folder = new URL(`${set}/${version}/`, FIXTURES);
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Recording);
  });
}

/** FLINK_CONF_DIR as that version ships it. */
export function shippedConf(version: string): ConfFiles {
  const folder = new URL(`golden/${version}/conf/`, FIXTURES);
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
}

/** The request that the recorded command line stands for. */
export function requestOf(recording: Recording): ClusterRequest {
  const { flinkVersion, mode, scenario, jar } = recording;
  const { options, flags, entryClass } = readFlags(
    recording.flags.map((flag) => flag.replaceAll('VERSION', flinkVersion)),
  );
  const [jarUri, ...args] = jar;
  return {
    flinkVersion,
    mode,
    options: { 'kubernetes.cluster-id': scenario, ...options },
    conf: recording.conf ?? shippedConf(flinkVersion),
    ...templates(options, recording.files),
    ...(mode === 'application' && {
      program: { jars: jarUri === undefined ? [] : [jarUri], args, ...(entryClass !== undefined && { entryClass }) },
      flags,
    }),
  };
}

const TEMPLATE_KEYS = {
  common: ['kubernetes.pod-template-file.default', 'kubernetes.pod-template-file'],
  jobManager: ['kubernetes.pod-template-file.jobmanager'],
  taskManager: ['kubernetes.pod-template-file.taskmanager'],
} as const;

function templates(
  options: Readonly<Record<string, string>>,
  files: Recording['files'],
): Pick<ClusterRequest, 'podTemplates' | 'podTemplateTexts'> {
  const texts: Partial<Record<keyof typeof TEMPLATE_KEYS, string>> = {};
  const podTemplates: Partial<Record<keyof typeof TEMPLATE_KEYS, V1PodTemplateSpec>> = {};
  for (const part of ['common', 'jobManager', 'taskManager'] as const) {
    const path = TEMPLATE_KEYS[part].map((key) => options[key]).find((value) => value !== undefined);
    const text = path === undefined ? undefined : files[path.replace('FILES/', '')];
    if (text === undefined) continue;
    texts[part] = text;
    podTemplates[part] = parse(text) as V1PodTemplateSpec;
  }
  return { podTemplates, podTemplateTexts: texts };
}

interface ReadFlags {
  readonly options: Record<string, string>;
  readonly flags: ProgramFlags;
  readonly entryClass: string | undefined;
}

function readFlags(words: readonly string[]): ReadFlags {
  const options: Record<string, string> = {};
  const given = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const property = /^-D([^=]*)(?:=(.*))?$/s.exec(word);
    if (property !== null) options[property[1] ?? ''] = property[2] ?? 'true';
    else if (SWITCHES.includes(word)) given.set(word, []);
    else given.set(word, [...(given.get(word) ?? []), words[++i] ?? '']);
  }
  return { options, entryClass: given.get('-c')?.[0], flags: programFlags(given) };
}

function programFlags(given: ReadonlyMap<string, string[]>): ProgramFlags {
  const [savepointPath] = given.get('-s') ?? [];
  const [parallelism] = given.get('-p') ?? [];
  const [claimMode] = given.get('-cm') ?? [];
  const classpaths = given.get('-C');
  return {
    ...(parallelism !== undefined && { parallelism: Number(parallelism) }),
    ...(classpaths !== undefined && { classpaths }),
    ...(savepointPath !== undefined && { savepointPath }),
    ...(claimMode !== undefined && { claimMode: claimMode.toUpperCase() as 'CLAIM' }),
    detached: given.has('-d'),
    shutdownOnAttachedExit: given.has('-sae'),
    allowNonRestoredState: given.has('-n'),
  };
}

const SWITCHES = ['-n', '-d', '-sae'];

/** Nested YAML as flat keys. */
export function flatten(value: unknown, prefix = ''): [string, unknown][] {
  if (!isRecord(value) || Object.keys(value).length === 0) return prefix === '' ? [] : [[prefix, value]];
  return Object.entries(value).flatMap(([key, member]) => flatten(member, prefix === '' ? key : `${prefix}.${key}`));
}
