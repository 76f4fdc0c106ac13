import { defined } from '../../../../lib/core/defined.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../../lib/flink/native/build-cluster.ts';
import { CATALOGUE, findOption } from '../../../../lib/flink/options/catalogue.ts';
import type { OptionEntry } from '../../../../lib/flink/options/option-entry.ts';
import { FLINK, JOB_MANAGER_MEMORY, TASK_MANAGER_MEMORY } from '../../../../lib/flink/options/flink.ts';
import { KUBERNETES } from '../../../../lib/flink/options/kubernetes.ts';
import type { DefaultedOption, Option } from '../../../../lib/flink/options/option.ts';
import { has, type Execute } from '../command.ts';
import { explainReason, isReasonLike } from './explain-reason.ts';
import { printJson, style, type Io } from '../terminal/io.ts';
import { nearest } from '../../../../lib/core/nearest.ts';
import {
  DOCUMENTED,
  findDocumented,
  placeOf,
  type DocumentedOption,
} from '../../../../lib/flink/options/documented.ts';
import { differences, type Change } from '../clusters/object-diff.ts';
import { readSettings, targetOf, type Settings } from '../flags/settings.ts';
import { UsageError } from '../flags/usage.ts';

type AnyOption = Option<unknown> & Partial<Pick<DefaultedOption<unknown>, 'default'>>;

/** Options that are read on the way to the objects; the catalogue tells more about most. */
const OPTIONS: readonly AnyOption[] = [KUBERNETES, FLINK, JOB_MANAGER_MEMORY, TASK_MANAGER_MEMORY].flatMap((table) =>
  Object.values<AnyOption>(table),
);

/** Where nothing is given, a value of the option's type that is not its default. */
const SAMPLES: Readonly<Record<string, string>> = {
  Integer: '2',
  Double: '2.0',
  Float: '0.2',
  MemorySize: '2g',
  Duration: '10 s',
  Map: 'key:value',
  'List<String>': 'one;two',
  'List<Map>': 'name:one;name:two',
};
const SAMPLE_OF: Readonly<Record<string, string>> = {
  'kubernetes.secrets': 'my-secret:/opt/secret',
  'kubernetes.env.secretKeyRef': 'env:PASSWORD,secret:my-secret,key:password',
  'kubernetes.jobmanager.tolerations': 'key:dedicated,operator:Equal,value:flink,effect:NoSchedule',
  'kubernetes.taskmanager.tolerations': 'key:dedicated,operator:Equal,value:flink,effect:NoSchedule',
  'kubernetes.jobmanager.owner.reference':
    'apiVersion:v1,kind:ConfigMap,name:owner,uid:11111111-2222-3333-4444-555555555555,controller:true,blockOwnerDeletion:true',
  'kubernetes.rest-service.exposed.type': 'LoadBalancer',
  'kubernetes.container.image.pull-policy': 'Always',
  'kubernetes.container.image.ref': 'my-image:1',
  'kubernetes.jobmanager.entrypoint.args': '-Dmy.option=value',
  'high-availability.type': 'kubernetes',
  'execution.target': 'kubernetes-application',
  'kubernetes.rest-service.exposed.node-port-address-type': 'ExternalIP',
  'kubernetes.persistent-volume-claims': 'my-claim:/data',
  'rest.bind-port': '8082',
  'blob.server.port': '6130',
  'taskmanager.rpc.port': '6130',
  'high-availability.jobmanager.port': '6130',
};

/** What an option needs beside it to have an effect. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kubernetes.jobmanager.replicas': { 'high-availability.type': 'kubernetes' },
  'kubernetes.persistent-volume-claim-read-only': { 'kubernetes.persistent-volume-claims': 'my-claim:/data' },
  'kubernetes.decorator.kerberos-mount.enabled': { 'security.kerberos.krb5-conf.path': '/etc/krb5.conf' },
  'kubernetes.decorator.hadoop-conf-mount.enabled': { 'kubernetes.hadoop.conf.config-map.name': 'my-hadoop' },
};

const PASSED_ON = 'it is passed on to whatever plugin or program reads it';

interface Described {
  readonly option: string;
  readonly effect?: string;
  readonly type: string;
  readonly default?: string;
  readonly olderNames: readonly string[];
  /** The first and last Flink versions that know it, where not all do. */
  readonly since?: string;
  readonly until?: string;
  /** Of an Enum. */
  readonly values?: readonly string[];
  /** Who reads it. */
  readonly where: string;
}

/** Builds a small cluster with and without the option, and shows what is different. */
export const execute: Execute = (io, parsed) => {
  const [argument, ...more] = parsed.args;
  if (argument === undefined || more.length > 0) {
    throw new UsageError('explain <option>, explain <option>=<value>, or explain <reason>');
  }
  if (isReasonLike(argument)) {
    explainReason(io, parsed, argument);
    return Promise.resolve(0);
  }
  const at = argument.indexOf('=');
  const key = at === -1 ? argument : argument.slice(0, at);
  const option = optionOf(key, at !== -1);
  const settings = readSettings(io, parsed);
  const explanation =
    at === -1
      ? explainSample(settings, key, option)
      : { key, value: argument.slice(at + 1), option, changes: compare(settings, key, argument.slice(at + 1), option) };
  if (has(parsed, 'json')) printJson(io, { key, value: explanation.value, ...option, changes: explanation.changes });
  else print(io, explanation);
  return Promise.resolve(0);
};

/** A value of our choice that cannot be built here is no mistake of the person who asks. */
function explainSample(settings: Settings, key: string, option: Described): Explanation {
  const value = sampleOf(key, option);
  try {
    return { key, value, option, changes: compare(settings, key, value, option) };
  } catch (error) {
    if (option.effect === undefined || !isDispatchError(error)) throw error;
    build(settings, {});
    return { key, option, changes: [] };
  }
}

/**
 * An option that Flink does not know may be one of a plugin or of the program: with a value it is shown at work.
 * @throws UsageError
 */
function optionOf(key: string, hasValue: boolean): Described {
  const entry = findOption(key);
  if (entry !== undefined) return describeEntry(entry);
  const documented = findDocumented(key);
  if (documented !== undefined) return describeDocumented(documented);
  const read = OPTIONS.find((option) => option.key === key || option.fallbackKeys.some((older) => older.key === key));
  if (read !== undefined) return describeRead(read);
  const known = [
    ...CATALOGUE.flatMap((one) => [one.key, ...(one.deprecated ?? [])]),
    ...DOCUMENTED.map((one) => one.key),
  ];
  const near = nearest(key, known);
  const ofOthers = hasValue && !key.startsWith('kubernetes.');
  if (ofOthers)
    return { option: key, type: 'String', olderNames: [], where: `Flink has no option of that name: ${PASSED_ON}` };
  const hint = near === undefined ? 'a plugin or a connector may have it' : `did you mean ${near}?`;
  throw new UsageError(`Flink has no option ${key}; ${hint}`);
}

function describeDocumented(option: DocumentedOption): Described {
  const { key, description, ...rest } = option;
  return { option: key, effect: description, where: placeOf(key), ...rest };
}

function describeEntry(entry: OptionEntry): Described {
  const { key, effect, type, since, until, fallback = [], deprecated = [] } = entry;
  return {
    option: key,
    effect,
    type,
    ...defined({ default: entry.default }),
    olderNames: [...fallback, ...deprecated],
    where: placeOf(key),
    ...defined({ since, until }),
  };
}

function describeRead(option: AnyOption): Described {
  const { key, type, default: byDefault, fallbackKeys } = option;
  return {
    option: key,
    type,
    ...(byDefault !== undefined && { default: `${byDefault as string | number | boolean | bigint}` }),
    olderNames: fallbackKeys.map((older) => older.key),
    where: placeOf(key),
  };
}

function sampleOf(key: string, option: Described): string {
  if (option.type === 'Boolean') return option.default === 'true' ? 'false' : 'true';
  if (key.startsWith(`${option.option}.`)) return 'my-value';
  const value = option.values?.find((one) => one !== option.default);
  return SAMPLE_OF[option.option] ?? SAMPLES[option.type] ?? value ?? 'my-value';
}

function compare(settings: Settings, key: string, value: string, option: Described): Change[] {
  const beside = BESIDE[option.option] ?? {};
  return differences(build(settings, beside), build(settings, { ...beside, [key]: value }));
}

function build({ flinkVersion, options, conf }: Settings, extra: Readonly<Record<string, string>>): FlinkCluster {
  const example = { 'kubernetes.cluster-id': 'example', 'kubernetes.container.image.ref': 'flink' };
  const old = 'kubernetes.container.image' in extra || 'kubernetes.container.image' in options;
  const image = old ? { 'kubernetes.cluster-id': 'example' } : example;
  return buildCluster({
    flinkVersion,
    mode: 'application',
    options: { ...image, ...options, 'execution.target': targetOf('application'), ...extra },
    ...defined({ conf }),
    program: { jars: ['local:///opt/flink/usrlib/job.jar'], args: [] },
  });
}

interface Explanation {
  readonly key: string;
  /** Absent where no value can be shown at work. */
  readonly value?: string;
  readonly option: Described;
  readonly changes: readonly Change[];
}

function print(io: Io, { key, value, option, changes }: Explanation): void {
  io.out(`${style(io, 'bold', option.option)}\n`);
  printOption(io, option);
  const objects = changes.filter(({ object }) => object !== 'configuration');
  if (value === undefined || (objects.length === 0 && option.effect !== undefined)) return;
  io.out(
    `\n-D${key}=${value} ${objects.length === 0 ? 'changes no object: Flink reads it from the configuration' : 'changes'}\n`,
  );
  for (const { object, path, before, after } of objects) {
    io.out(`  ${object} ${path}: ${show(before)} → ${show(after)}\n`);
  }
}

function printOption(io: Io, option: Described): void {
  const { effect, type, default: byDefault, values = [], where, olderNames, since, until } = option;
  if (effect !== undefined) io.out(`${effect}\n`);
  const among = values.length === 0 ? '' : ` (${values.join(', ')})`;
  io.out(
    `type ${type}${among}, ${byDefault === undefined ? 'no default' : `default ${byDefault === '' ? 'empty' : byDefault}`}\n`,
  );
  io.out(`${where}\n`);
  if (olderNames.length > 0) io.out(`read from when it is not set: ${olderNames.join(', ')}\n`);
  if (since !== undefined) io.out(`since Flink ${since}\n`);
  if (until !== undefined) io.out(`up to Flink ${until}\n`);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
