import { Composer, Parser, type ScalarTag, type SchemaOptions } from 'yaml';
import * as z from 'zod';
import { describeError } from '../../../core/errors.ts';
import { parseWith } from '../../../core/schema.ts';
import { invalid } from './invalid.ts';

/** As Go's decoder reads a list of bytes: standard base64, line ends passed over. */
const data = z.string().transform((text, context) => {
  const packed = text.replace(/[\r\n]/g, '');
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(packed) && packed.length % 4 === 0) return Buffer.from(packed, 'base64').toString();
  context.addIssue({ code: 'custom', message: 'must be base64' });
  return z.NEVER;
});
const text = z.string().optional();
const flag = z.boolean().optional();
/** A list that is absent or null is empty. */
const list = <T extends z.ZodType>(entry: T) => z.array(entry).default([]);

const cluster = z.object({
  server: text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': flag,
  'certificate-authority': text,
  'certificate-authority-data': data.optional(),
  'proxy-url': text,
  'disable-compression': flag,
  extensions: list(z.object({ name: z.string().default(''), extension: z.unknown().optional() })),
});

const exec = z.object({
  apiVersion: text,
  command: text,
  args: list(z.string()),
  env: list(z.object({ name: z.string(), value: z.string().default('') })),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always', '']).optional(),
});

const user = z.object({
  'client-certificate': text,
  'client-certificate-data': data.optional(),
  'client-key': text,
  'client-key-data': data.optional(),
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': list(z.string()),
  'as-user-extra': z.record(z.string(), z.array(z.string())).default({}),
  exec: exec.optional(),
  'auth-provider': z.object({ name: z.string(), config: z.record(z.string(), z.string()).default({}) }).optional(),
});

const context = z.object({ cluster: text, user: text, namespace: text });

const config = z.object({
  clusters: list(z.object({ name: z.string().default(''), cluster: cluster.prefault({}) })),
  users: list(z.object({ name: z.string().default(''), user: user.prefault({}) })),
  contexts: list(z.object({ name: z.string().default(''), context: context.prefault({}) })),
  'current-context': text,
});

export type ClusterEntry = z.output<typeof cluster>;
export type ExecEntry = z.output<typeof exec>;
export type UserEntry = z.output<typeof user>;
export type ContextEntry = z.output<typeof context>;
/** The types of `k8s.io/client-go/tools/clientcmd/api/v1`; fields that are not known are passed over, as there. */
export type ConfigFile = z.output<typeof config>;

/** The words that kubectl's YAML reader takes for booleans. */
const yesOrNo: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test: /^(?:yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/,
  resolve: (word) => /^(?:yes|on)$/i.test(word),
};
const YAML_OF_KUBECTL = {
  version: '1.2',
  schema: 'core',
  merge: true,
  uniqueKeys: false,
  logLevel: 'error',
  prettyErrors: false,
  customTags: ((tags) => [yesOrNo, ...tags]) satisfies SchemaOptions['customTags'],
} as const;

/**
 * The content of one kubeconfig, with kubectl's rules: merge keys count, the last of two equal keys wins, the first
 * document is the file, and a file without anything is a configuration without anything.
 * @param name of the file, for errors
 * @throws DispatchError `InvalidConfiguration`
 */
export function parseKubeconfig(content: string, name: string): ConfigFile {
  const file = fieldsOf(documentOf(content, name) ?? {}, name);
  checkNames(file.clusters, `${name}: clusters`);
  checkNames(file.users, `${name}: users`);
  checkNames(file.contexts, `${name}: contexts`);
  return file;
}

function fieldsOf(document: unknown, name: string): ConfigFile {
  try {
    return parseWith(config, document, '', 'InvalidConfiguration');
  } catch (error) {
    throw invalid(`${name}: ${describeError(error)}`);
  }
}

function documentOf(content: string, name: string): unknown {
  const [first] = new Composer(YAML_OF_KUBECTL).compose(new Parser().parse(content));
  const fault = first?.errors[0] ?? first?.warnings[0];
  if (fault !== undefined) throw invalid(`${name} cannot be read: ${fault.message.split('\n')[0] ?? ''}`);
  try {
    return first?.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid(`${name} cannot be read`, error);
  }
}

function checkNames(entries: readonly { readonly name: string }[], where: string): void {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (seen.has(name)) throw invalid(`${where} has two entries named '${name}': remove one of them`);
    seen.add(name);
  }
}
