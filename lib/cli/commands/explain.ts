import { buildCluster } from '../../flink/native/build-cluster.ts';
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

const OPTIONS: readonly AnyOption[] = [KUBERNETES, FLINK, JOB_MANAGER_MEMORY, TASK_MANAGER_MEMORY].flatMap((table) =>
  Object.values<AnyOption>(table),
);

/** Where nothing is given, a value of the option's type that is not its default. */
const SAMPLES: Readonly<Record<string, string>> = {
  Integer: '2',
  Double: '2.0',
  Float: '0.2',
  MemorySize: '2g',
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
};

/** Builds a small cluster with and without the option, and shows what is different. */
export const execute: Execute = (io, parsed) => {
  const [argument, ...more] = parsed.args;
  if (argument === undefined || more.length > 0) throw new UsageError('explain <option>, or explain <option>=<value>');
  const at = argument.indexOf('=');
  const key = at === -1 ? argument : argument.slice(0, at);
  const option = optionOf(key);
  const value = at === -1 ? sampleOf(key, option) : argument.slice(at + 1);
  const settings = readSettings(io, parsed);
  const changes = differences(build(settings, {}), build(settings, { [key]: value }));
  if (has(parsed, 'json')) printJson(io, { key, value, ...describe(option), changes });
  else print(io, { key, value, option, changes });
  return Promise.resolve(0);
};

function optionOf(key: string): AnyOption | undefined {
  const found = OPTIONS.find((option) => option.key === key || option.fallbackKeys.some((older) => older.key === key));
  if (found !== undefined || !key.startsWith('kubernetes.')) return found;
  const near = nearest(
    key,
    OPTIONS.map((option) => option.key),
  );
  throw new UsageError(
    `no option ${key} decides about the objects${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

function sampleOf(key: string, option: AnyOption | undefined): string {
  if (option?.type === 'Boolean') return option.default === true ? 'false' : 'true';
  const sample = SAMPLE_OF[option?.key ?? key] ?? SAMPLES[option?.type ?? ''] ?? (option && 'my-value');
  if (sample === undefined) throw new UsageError(`explain ${key}=<value>: what value should it have?`);
  return sample;
}

function build({ flinkVersion, options, conf }: Settings, extra: Record<string, string>) {
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
  readonly value: string;
  readonly option: AnyOption | undefined;
  readonly changes: readonly Change[];
}

interface Described {
  readonly option?: string;
  readonly type?: string;
  readonly default?: string;
  readonly olderNames?: readonly string[];
}

function describe(option: AnyOption | undefined): Described {
  if (option === undefined) return {};
  const byDefault =
    option.default === undefined ? {} : { default: `${option.default as string | number | boolean | bigint}` };
  return { option: option.key, type: option.type, ...byDefault, olderNames: option.fallbackKeys.map(({ key }) => key) };
}

function print(io: Io, { key, value, option, changes }: Explanation): void {
  io.out(`${style(io, 'bold', option?.key ?? key)}\n`);
  const { type, default: byDefault, olderNames = [] } = describe(option);
  if (type !== undefined) io.out(`type ${type}${byDefault === undefined ? '' : `, default ${byDefault}`}\n`);
  if (olderNames.length > 0) io.out(`read from when it is not set: ${olderNames.join(', ')}\n`);
  const objects = changes.filter(({ object }) => object !== 'configuration');
  io.out(
    `\n-D${key}=${value} ${objects.length === 0 ? 'changes no object: Flink reads it from the configuration' : 'changes'}\n`,
  );
  for (const { object, path, before, after } of objects) {
    io.out(`  ${object} ${path}: ${show(before)} → ${show(after)}\n`);
  }
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
