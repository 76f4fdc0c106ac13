import { defined } from '../../../../lib/core/defined.ts';
import type { ConfFiles } from '../../../../lib/flink/cluster.ts';
import { readConfiguration } from '../../../../lib/flink/config/files.ts';
import { flinkRules } from '../../../../lib/flink/version.ts';
import { valueOf } from '../command.ts';
import { readConfDir } from './conf-dir.ts';
import type { ParsedFlags } from './flags.ts';
import type { Io } from '../terminal/io.ts';
import { contextOfServer } from '../legacy/master.ts';
import { oldMeaning, withTodaysOptions } from '../legacy/old-flags.ts';
import type { SpecFile } from './spec-file.ts';
import { UsageError } from './usage.ts';

const DEFAULT_VERSION = '2.3';
const TARGETS = { application: 'kubernetes-application', session: 'kubernetes-session' } as const;
const IMAGE_KEYS = ['kubernetes.container.image.ref', 'kubernetes.container.image'];

export type Mode = keyof typeof TARGETS;

/** What flags, environment and conf folder say together. */
export interface Settings {
  readonly conf: ConfFiles | undefined;
  /** `-D` and `-t` over the spec file, without the conf folder. */
  readonly options: Readonly<Record<string, string>>;
  /** Conf folder under `options`, flat: for what the command line itself has to know. */
  readonly effective: Readonly<Record<string, string>>;
  readonly flinkVersion: string;
  /** Where the JobManager's REST endpoint is, if not behind the API server. */
  readonly serviceAddress?: string;
}

/** @throws UsageError, DispatchError of an unreadable conf folder or an unsupported version */
export function readSettings(io: Io, parsed: ParsedFlags, spec?: SpecFile): Settings {
  const conf = readConfDir(io.env);
  const { properties, notes } = withTodaysOptions(parsed.properties);
  for (const note of notes) io.err(`note: ${note}\n`);
  const target = valueOf(parsed, 'target') ?? valueOf(parsed, 'executor');
  const options = {
    ...spec?.options,
    ...properties,
    ...defined({ 'execution.target': target }),
  };
  const given = valueOf(parsed, 'flink-version') ?? spec?.flinkVersion;
  const fromFile =
    conf === undefined ? {} : readConfiguration(conf, given ?? versionOfImage(options) ?? DEFAULT_VERSION);
  const effective = { ...fromFile, ...options };
  return { conf, options, effective, flinkVersion: given ?? versionOfImage(effective) ?? DEFAULT_VERSION };
}

/** Settings of a command that has the old flags too: `-D` wins over them. @throws as `readSettings` */
export function readSettingsWithOld(io: Io, parsed: ParsedFlags, prefix: '' | 'kubernetes', spec?: SpecFile): Settings {
  const { options, master, serviceAddress, notes } = oldMeaning(parsed, prefix);
  for (const note of notes) io.err(`note: ${note}\n`);
  const context = master === undefined ? {} : { 'kubernetes.context': contextOfServer(io, master) };
  const properties = { ...options, ...context, ...parsed.properties };
  const settings = readSettings(io, { ...parsed, properties }, spec);
  return { ...settings, ...defined({ serviceAddress }) };
}

/** `flink:1.20.0-java17` → `1.20.0`; nothing for an image that is not named after Flink, whose tag is the job's own. */
export function versionOfImage(options: Readonly<Record<string, string>>): string | undefined {
  const image = IMAGE_KEYS.map((key) => options[key]).find((value) => value !== undefined) ?? '';
  const version = /(?:^|\/)[^/]*flink[^/:]*:v?(\d+\.\d+(?:\.\d+)?)(?:[^\d/][^/]*)?$/.exec(image)?.[1];
  return version !== undefined && isSupported(version) ? version : undefined;
}

function isSupported(version: string): boolean {
  try {
    flinkRules(version);
    return true;
  } catch {
    return false;
  }
}

/** @throws UsageError when the target is none of Flink's Kubernetes targets. */
export function modeOf(settings: Settings): Mode | undefined {
  const target = settings.effective['execution.target'];
  if (target === undefined) return undefined;
  const mode = (Object.keys(TARGETS) as Mode[]).find((name) => TARGETS[name] === target.toLowerCase());
  if (mode === undefined) {
    throw new UsageError(`-t ${target}: the target must be kubernetes-application or kubernetes-session`);
  }
  return mode;
}

export function targetOf(mode: Mode): string {
  return TARGETS[mode];
}

export function namespaceOf(settings: Settings): string {
  return settings.effective['kubernetes.namespace'] ?? 'default';
}
