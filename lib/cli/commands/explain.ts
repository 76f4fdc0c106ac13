import { isDispatchError } from '../../core/errors.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import { buildCluster } from '../../flink/native/build-cluster.ts';
import { CATALOGUE, findOption, type OptionEntry } from '../../flink/options/catalogue.ts';
import { FLINK, JOB_MANAGER_MEMORY, TASK_MANAGER_MEMORY } from '../../flink/options/flink.ts';
import { KUBERNETES } from '../../flink/options/kubernetes.ts';
import type { DefaultedOption, Option } from '../../flink/options/option.ts';
import { has, type Execute } from '../command.ts';
import { printJson, style, type Io } from '../io.ts';
import { nearest } from '../nearest.ts';
import { differences, type Change } from '../object-diff.ts';
import { readSettings, targetOf, type Settings } from '../settings.ts';
import { UsageError } from '../usage.ts';

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

interface Described {
  readonly option: string;
  readonly effect?: string;
  readonly type: string;
  readonly default?: string;
  readonly olderNames: readonly string[];
  /** The first and last Flink versions that know it, where not all do. */
  readonly since?: string;
  readonly until?: string;
}

/** Builds a small cluster with and without the option, and shows what is different. */
export const execute: Execute = (io, parsed) => {
  const [argument, ...more] = parsed.args;
  if (argument === undefined || more.length > 0) throw new UsageError('explain <option>, or explain <option>=<value>');
  const at = argument.indexOf('=');
  const key = at === -1 ? argument : argument.slice(0, at);
  const option = optionOf(key);
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
function explainSample(settings: Settings, key: string, option: Described | undefined): Explanation {
  const value = sampleOf(key, option);
  try {
    return { key, value, option, changes: compare(settings, key, value, option) };
  } catch (error) {
    if (option?.effect === undefined || !isDispatchError(error)) throw error;
    build(settings, {});
    return { key, option, changes: [] };
  }
}

function optionOf(key: string): Described | undefined {
  const entry = findOption(key);
  if (entry !== undefined) return describeEntry(entry);
  const read = OPTIONS.find((option) => option.key === key || option.fallbackKeys.some((older) => older.key === key));
  if (read !== undefined) return describeRead(read);
  if (!key.startsWith('kubernetes.')) return undefined;
  const near = nearest(
    key,
    CATALOGUE.flatMap((entry) => [entry.key, ...(entry.deprecated ?? [])]),
  );
  throw new UsageError(`Flink has no option ${key}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

function describeEntry(entry: OptionEntry): Described {
  const { key, effect, type, since, until, fallback = [], deprecated = [] } = entry;
  return {
    option: key,
    effect,
    type,
    ...(entry.default !== undefined && { default: entry.default }),
    olderNames: [...fallback, ...deprecated],
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

function describeRead(option: AnyOption): Described {
  const { key, type, default: byDefault, fallbackKeys } = option;
  return {
    option: key,
    type,
    ...(byDefault !== undefined && { default: `${byDefault as string | number | boolean | bigint}` }),
    olderNames: fallbackKeys.map((older) => older.key),
  };
}

function sampleOf(key: string, option: Described | undefined): string {
  if (option?.type === 'Boolean') return option.default === 'true' ? 'false' : 'true';
  const sample = key.startsWith(`${option?.option ?? key}.`)
    ? 'my-value'
    : (SAMPLE_OF[option?.option ?? key] ?? SAMPLES[option?.type ?? ''] ?? (option && 'my-value'));
  if (sample === undefined) throw new UsageError(`explain ${key}=<value>: what value should it have?`);
  return sample;
}

function compare(settings: Settings, key: string, value: string, option: Described | undefined): Change[] {
  const beside = BESIDE[option?.option ?? key] ?? {};
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
    ...(conf !== undefined && { conf }),
    program: { jars: ['local:///opt/flink/usrlib/job.jar'], args: [] },
  });
}

interface Explanation {
  readonly key: string;
  /** Absent where no value can be shown at work. */
  readonly value?: string;
  readonly option: Described | undefined;
  readonly changes: readonly Change[];
}

function print(io: Io, { key, value, option, changes }: Explanation): void {
  io.out(`${style(io, 'bold', option?.option ?? key)}\n`);
  if (option !== undefined) printOption(io, option);
  const objects = changes.filter(({ object }) => object !== 'configuration');
  if (value === undefined || (objects.length === 0 && option?.effect !== undefined)) return;
  io.out(
    `\n-D${key}=${value} ${objects.length === 0 ? 'changes no object: Flink reads it from the configuration' : 'changes'}\n`,
  );
  for (const { object, path, before, after } of objects) {
    io.out(`  ${object} ${path}: ${show(before)} → ${show(after)}\n`);
  }
}

function printOption(io: Io, { effect, type, default: byDefault, olderNames, since, until }: Described): void {
  if (effect !== undefined) io.out(`${effect}\n`);
  io.out(`type ${type}${byDefault === undefined ? '' : `, default ${byDefault === '' ? 'empty' : byDefault}`}\n`);
  if (olderNames.length > 0) io.out(`read from when it is not set: ${olderNames.join(', ')}\n`);
  if (since !== undefined) io.out(`since Flink ${since}\n`);
  if (until !== undefined) io.out(`up to Flink ${until}\n`);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
