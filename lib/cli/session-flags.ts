import { valueOf } from './command.ts';
import type { Flag, ParsedFlags } from './flags.ts';
import { UsageError } from './usage.ts';

const KUBECONFIG_ONLY =
  'the API server comes from the kubeconfig: set KUBECONFIG, -Dkubernetes.config.file or -Dkubernetes.context.';

/** The flags that kubernetes-session.sh had at first, mapped to today's options. */
export const OLD_SESSION_FLAGS: readonly Flag[] = [
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
  { short: 'ms', long: 'master', help: '', refused: KUBECONFIG_ONLY },
  { short: 'sa', long: 'serviceaddress', help: '', refused: 'the REST endpoint is reached through the API server.' },
];

/** @throws UsageError for what is no whole number */
export function oldSessionOptions(parsed: ParsedFlags): Record<string, string> {
  const number = (name: string) => wholeNumber(name, valueOf(parsed, name));
  const slots = number('slots');
  const pods = number('pods');
  const jobManagerMemory = number('jobManagerMemory');
  const taskManagerMemory = number('taskManagerMemory');
  const perPod = Number(slots ?? parsed.properties['taskmanager.numberOfTaskSlots'] ?? 1);
  const options: Record<string, string | undefined> = {
    'kubernetes.cluster-id': valueOf(parsed, 'name'),
    'kubernetes.namespace': valueOf(parsed, 'namespace'),
    'kubernetes.container.image.ref': valueOf(parsed, 'image'),
    'jobmanager.memory.process.size': jobManagerMemory && `${jobManagerMemory}m`,
    'taskmanager.memory.process.size': taskManagerMemory && `${taskManagerMemory}m`,
    'taskmanager.numberOfTaskSlots': slots,
    'slotmanager.number-of-slots.min': pods && String(Number(pods) * perPod),
    'execution.attached': parsed.values.has('detached') ? 'false' : undefined,
  };
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function wholeNumber(name: string, text: string | undefined): string | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text;
  throw new UsageError(`--${name} ${text}: must be a whole number above 0`);
}
