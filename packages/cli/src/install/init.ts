import { existsSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { parseDispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { parseFlinkVersion } from '../../../../lib/job/spec/flink-version.ts';
import { kubeconfigFiles } from '../../../../lib/kubernetes/access/kubeconfig.ts';
import { has, valueOf, type Execute } from '../command.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { style, type Io } from '../terminal/io.ts';
import { eksAccess, kubeconfigAccess, type ClusterAccess } from './cluster-access.ts';
import { CONFIG_FILE } from './config-file.ts';
import { stackOf } from './deploy.ts';
import { questions, type Ask } from './questions.ts';

/** Writes a configuration for one cluster, which allows little. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('init takes no arguments: --output names the file');
  const file = valueOf(parsed, 'output') ?? CONFIG_FILE;
  if (existsSync(file) && !has(parsed, 'force'))
    throw new UsageError(`${file} is there already: --force writes over it, --output names another file`);
  const stack = stackOf(io, parsed);
  const { ask, end } = questions(io);
  const { access, notes, ...answers } = await answersOf(io, parsed, ask).finally(end);
  const text = configText({ ...answers, access, stack });
  parseDispatchConfig(text, file);
  writeFileSync(file, text);
  io.out(`${file}\n`);
  for (const note of notes) io.err(`${style(io, 'yellow', 'note')}: ${note}\n`);
  io.err(`next: flink-dispatch deploy --stack ${stack} --config ${file}\n`);
  return 0;
};

interface Answers extends ClusterAccess {
  readonly namespace: string;
  readonly image: string;
  readonly serviceAccount: string;
  readonly flinkVersion: string;
}

async function answersOf(io: Io, parsed: ParsedFlags, ask: Ask): Promise<Answers> {
  const answer = async (flag: string, question: string, otherwise: string): Promise<string> =>
    valueOf(parsed, flag) ?? (has(parsed, 'yes') ? otherwise : ask(question, otherwise));
  const { access, notes } = await accessOf(io, parsed, answer);
  const namespace = await answer('namespace', 'Namespace of the runs', 'flink');
  const serviceAccount = await answer('service-account', 'Service account of the jobs', 'flink');
  const image = await answer('image', 'Image of the jobs', 'flink:2.3.0');
  const tag = /:([^:/@]+)(?:@.*)?$/.exec(image)?.[1] ?? '';
  const known = parseFlinkVersion(tag);
  const version =
    valueOf(parsed, 'flink-version') ?? known ?? (await answer('flink-version', 'Its version of Flink', '2.3'));
  const flinkVersion = parseFlinkVersion(version);
  if (flinkVersion === undefined) throw new UsageError(`--flink-version '${version}' must be one such as 2.3 or 1.20`);
  return { access, notes, namespace, serviceAccount, image, flinkVersion };
}

const HERE = 'kubeconfig';

async function accessOf(
  io: Io,
  parsed: ParsedFlags,
  answer: (flag: string, question: string, otherwise: string) => Promise<string>,
): Promise<ClusterAccess> {
  const kubeconfig = valueOf(parsed, 'kubeconfig');
  const context = valueOf(parsed, 'context');
  const named = kubeconfig === undefined && context === undefined;
  const eks = named
    ? await answer('eks', `Name of the EKS cluster, or ${HERE} for its current context`, HERE)
    : undefined;
  if (eks !== undefined && eks !== HERE) return eksAccess(io, eks, valueOf(parsed, 'region'));
  const files = kubeconfig === undefined ? kubeconfigFiles(io.env) : [kubeconfig];
  return kubeconfigAccess({ files, context, secret: valueOf(parsed, 'secret') });
}

/** Each part is written by the library: what was answered stays a value. */
function configText(answers: Omit<Answers, 'notes'> & { readonly stack: string }): string {
  const { access, namespace, image, serviceAccount, flinkVersion, stack } = answers;
  const repository = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const resources = {
    jobManager: { resource: { cpu: 0.5, memory: '1600m' } },
    taskManager: { resource: { cpu: 1, memory: '1728m' } },
  };
  const defaults = { image, flinkVersion: `v${flinkVersion.replace('.', '_')}`, serviceAccount, ...resources };
  const allow = {
    images: [`${repository}:*`],
    serviceAccounts: [serviceAccount],
    jarBuckets: [`${stack}-jars-*`],
    jarUriSchemes: ['local', 's3'],
    maxResources: { cpu: 8, memory: '32g' },
  };
  return [
    '# What this installation is: where runs go, what they get by default, and what they may ask for.\n' +
      '# All fields: flink-dispatch schema config. After a change: flink-dispatch config check, then config put.\n',
    stringify({ targets: { default: { namespace, access } } }, { lineWidth: 0 }),
    `# Every job begins with this; a spec says what differs.\n${stringify({ defaults })}`,
    `# Nothing is allowed that is not allowed here.\n${stringify({ allow })}`,
  ].join('\n');
}
