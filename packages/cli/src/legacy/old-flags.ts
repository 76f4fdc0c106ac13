import { defined } from '../../../../lib/core/defined.ts';
import { has, valueOf } from '../command.ts';
import type { Flag, ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';

/** The flags that kubernetes-session.sh had at first, by their long names: `run` had them with a prefix. */
const FLAGS: readonly Flag[] = [
  { short: 'nm', long: 'name', takes: 'value', value: 'id', help: 'The same as -Dkubernetes.cluster-id.' },
  { short: 'ns', long: 'namespace', takes: 'value', value: 'name', help: 'The same as -Dkubernetes.namespace.' },
  { short: 'i', long: 'image', takes: 'value', value: 'image', help: 'The same as -Dkubernetes.container.image.ref.' },
  {
    short: 'jm',
    long: 'jobManagerMemory',
    takes: 'value',
    value: 'MB',
    help: 'The same as -Djobmanager.memory.process.size.',
  },
  {
    short: 'tm',
    long: 'taskManagerMemory',
    takes: 'value',
    value: 'MB',
    help: 'The same as -Dtaskmanager.memory.process.size.',
  },
  { short: 's', long: 'slots', takes: 'value', value: 'number', help: 'The same as -Dtaskmanager.numberOfTaskSlots.' },
  {
    short: 'n',
    long: 'pods',
    takes: 'value',
    value: 'number',
    help: 'TaskManagers to keep: -Dslotmanager.number-of-slots.min of as many slots.',
  },
  { short: 'd', long: 'detached', help: 'Return once the cluster is created: the default.' },
  {
    short: 'ms',
    long: 'master',
    takes: 'value',
    value: 'url',
    help: 'The kubeconfig’s context of this API server: today -Dkubernetes.context.',
  },
  {
    short: 'sa',
    long: 'serviceaddress',
    takes: 'value',
    value: 'host:port',
    help: 'Reach the JobManager at this address; today through the API server.',
  },
];

export const OLD_SESSION_FLAGS: readonly Flag[] = FLAGS;
/** `flink run`: `-knm`, `--kubernetesname`. */
export const OLD_RUN_FLAGS: readonly Flag[] = FLAGS.map((flag) => ({
  ...flag,
  short: `k${flag.short ?? ''}`,
  long: `kubernetes${flag.long ?? ''}`,
}));

/** What the old flags of a command line mean today. */
export interface OldMeaning {
  readonly options: Readonly<Record<string, string>>;
  /** An API server, of which the kubeconfig has to have a context. */
  readonly master?: string;
  readonly serviceAddress?: string;
  /** What to write today, for people. */
  readonly notes: readonly string[];
}

/** @param prefix that of the long names: `kubernetes` for `run`. @throws UsageError for what is no whole number */
export function oldMeaning(parsed: ParsedFlags, prefix: '' | 'kubernetes'): OldMeaning {
  const given = (name: string) => valueOf(parsed, prefix + name);
  const options = { ...sameOptions(given), ...sizeOptions(parsed, given) };
  if (has(parsed, `${prefix}detached`) && prefix === '') options['execution.attached'] = 'false';
  const [master, serviceAddress] = [given('master'), given('serviceaddress')];
  return {
    options,
    ...defined({ master, serviceAddress }),
    notes: FLAGS.filter(({ long = '' }) => has(parsed, prefix + long)).map((flag) => note(flag, prefix, options)),
  };
}

type Given = (name: string) => string | undefined;

function sameOptions(given: Given): Record<string, string> {
  return defined({
    'kubernetes.cluster-id': given('name'),
    'kubernetes.namespace': given('namespace'),
    'kubernetes.container.image.ref': given('image'),
  });
}

function sizeOptions(parsed: ParsedFlags, given: Given): Record<string, string> {
  const number = (name: string) => wholeNumber(name, given(name));
  const slots = number('slots');
  const pods = number('pods');
  const jobManagerMemory = number('jobManagerMemory');
  const taskManagerMemory = number('taskManagerMemory');
  const perPod = Number(slots ?? parsed.properties['taskmanager.numberOfTaskSlots'] ?? 1);
  return defined({
    'jobmanager.memory.process.size': jobManagerMemory && `${jobManagerMemory}m`,
    'taskmanager.memory.process.size': taskManagerMemory && `${taskManagerMemory}m`,
    'taskmanager.numberOfTaskSlots': slots,
    'slotmanager.number-of-slots.min': pods && String(Number(pods) * perPod),
  });
}

const OPTION_OF: Readonly<Record<string, string>> = {
  name: 'kubernetes.cluster-id',
  namespace: 'kubernetes.namespace',
  image: 'kubernetes.container.image.ref',
  jobManagerMemory: 'jobmanager.memory.process.size',
  taskManagerMemory: 'taskmanager.memory.process.size',
  slots: 'taskmanager.numberOfTaskSlots',
  pods: 'slotmanager.number-of-slots.min',
};

function note({ short = '', long = '' }: Flag, prefix: string, options: Readonly<Record<string, string>>): string {
  const flag = `-${prefix === '' ? '' : 'k'}${short}`;
  const option = OPTION_OF[long];
  if (option !== undefined) return `${flag} is an old flag: today -D${option}=${options[option] ?? ''}`;
  if (long === 'master') return `${flag} is an old flag: today the kubeconfig decides, and -Dkubernetes.context`;
  if (long === 'serviceaddress') return `${flag} is an old flag: today the API server leads to the JobManager`;
  return `${flag} is an old flag: today ${prefix === '' ? '-Dexecution.attached=false, the default' : '-d'}`;
}

function wholeNumber(name: string, text: string | undefined): string | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text;
  throw new UsageError(`--${name} ${text}: must be a whole number above 0`);
}

/** Options that Flink's first Kubernetes client had, and what says the same today. */
const OLD_OPTIONS: Readonly<Record<string, (value: string) => readonly [string, string]>> = {
  'kubernetes.destroy-perjob-cluster.after-job-finished': (value) => [
    'execution.shutdown-on-application-finish',
    value.toLowerCase(),
  ],
};

/**
 * Options of the first client that no released Flink reads, and what is written today. They are left out: what Flink
 * ignores must not open a port.
 */
const IGNORED_OPTIONS: Readonly<Record<string, string>> = {
  'kubernetes.service.exposed.type': 'kubernetes.rest-service.exposed.type',
};

/** Properties with old keys replaced; a key of today that is given too wins. @throws UsageError */
export function withTodaysOptions(properties: Readonly<Record<string, string>>): {
  readonly properties: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
} {
  const notes: string[] = [];
  const mapped = Object.entries(properties).flatMap(([key, value]): [string, string][] => {
    const successor = Object.hasOwn(IGNORED_OPTIONS, key) ? IGNORED_OPTIONS[key] : undefined;
    if (successor !== undefined) {
      notes.push(
        `${key} has no effect: Flink does not read it. To expose the REST endpoint write -D${successor}=${value}`,
      );
      return [];
    }
    const today = Object.hasOwn(OLD_OPTIONS, key) ? OLD_OPTIONS[key]?.(value) : undefined;
    if (today === undefined) return [[key, value]];
    const [name, worth] = today;
    notes.push(`${key} is an old option: today -D${name}=${worth}`);
    return Object.hasOwn(properties, name) ? [] : [[name, worth]];
  });
  return { properties: Object.fromEntries(mapped), notes };
}
