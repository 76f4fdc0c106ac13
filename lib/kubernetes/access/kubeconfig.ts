import { createHash } from 'node:crypto';
import { isatty } from 'node:tty';
import { defined } from '../../core/defined.ts';
import { describeError, DispatchError } from '../../core/errors.ts';
import type { TlsSettings } from '../../http/connections.ts';
import type { Connection, Credentials } from './connection.ts';
import { proxyAgent } from './kubeconfig/client-node.ts';
import type { ClusterEntry } from './kubeconfig/file.ts';
import { loadFiles, loadText, type LoadedConfig } from './kubeconfig/load.ts';
import { proxyFor } from './kubeconfig/proxy.ts';
import { addressOf, serverTls } from './kubeconfig/server.ts';
import { userCredentials } from './kubeconfig/user.ts';

/** Milliseconds after which files with tokens are read again, and the end of an exec plugin's token is looked at. */
const KEEP = 60_000;

export interface KubeconfigSource {
  /** In kubectl's order: what the first file says wins. */
  readonly files?: readonly string[];
  /** The content of one, in place of files. */
  readonly text?: string;
  /** Default: the current context. */
  readonly context?: string;
  /** For credential plugins, and for HTTPS_PROXY and its like; default: of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface KubeconfigConnection extends Connection {
  readonly context: string;
  /** The context's own, if it has one. */
  readonly namespace: string | undefined;
}

/**
 * A kubeconfig as kubectl reads it (`client-go/tools/clientcmd`): certificates, tokens, impersonation, credential
 * plugins, OpenID Connect, proxies. Only the chosen context has to be right.
 * @throws DispatchError `InvalidConfiguration`, naming the file or the context.
 */
// eslint-disable-next-line @typescript-eslint/require-await -- errors are rejections
export async function kubeconfigConnection(source: KubeconfigSource): Promise<KubeconfigConnection> {
  const { text, files = [], env = process.env } = source;
  const config = text === undefined ? loadFiles(files) : loadText(text);
  const context = source.context ?? config.currentContext;
  const { cluster, user, userName, clusterName, namespace } = choose(config, context);
  const { url, basic } = addressOf(cluster, clusterName);
  const proxyUrl = proxyFor(new URL(url), cluster['proxy-url'], env);
  const place = {
    env,
    terminal: isatty(0),
    now: Date.now,
    cluster: () => clusterInfo(cluster, url, proxyUrl),
    ...defined({ basic }),
  };
  const known = userCredentials(user, userName, place);
  const agentFor = proxyUrl === undefined ? undefined : agents({ server: url, proxyUrl });
  const read = async (renew: boolean): Promise<Credentials> => {
    const [{ headers, ...material }, server] = await Promise.all([known(renew), serverTls(cluster)]);
    const tls = { ...server, ...material };
    return { headers, tls, ...(agentFor === undefined ? {} : { agent: await agentFor(tls) }) };
  };
  let kept: { readonly at: number; readonly credentials: Credentials } | undefined;
  return {
    server: url,
    context,
    namespace,
    async credentials(renew) {
      if (renew || kept === undefined || Date.now() - kept.at >= KEEP) {
        kept = { at: Date.now(), credentials: await read(renew).catch((error: unknown) => fail(url, error)) };
      }
      return kept.credentials;
    },
  };
}

/** The files that kubectl would read. */
export function kubeconfigFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const separator = process.platform === 'win32' ? ';' : ':';
  const named = (env['KUBECONFIG'] ?? '').split(separator).filter((file) => file !== '');
  if (named.length > 0) return named;
  return [`${env['HOME'] ?? env['USERPROFILE'] ?? ''}/.kube/config`];
}

function choose(config: LoadedConfig, name: string) {
  const context = config.contexts.get(name);
  if (context === undefined) {
    const known = [...config.contexts.keys()].map((one) => `'${one}'`).join(', ');
    const has = known === '' ? 'it has none' : `it has ${known}`;
    const what = name === '' ? 'sets no current-context' : `has no context '${name}'`;
    throw new DispatchError('InvalidConfiguration', `the kubeconfig ${what}: ${has}`, { field: 'context' });
  }
  const { cluster: clusterName = '', user: userName = '', namespace = '' } = context;
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    const message = `the kubeconfig has no cluster '${clusterName}', which its context '${name}' names`;
    throw new DispatchError('InvalidConfiguration', message, { field: 'context' });
  }
  const user = config.users.get(userName) ?? { 'as-groups': [], 'as-user-extra': {} };
  return { cluster, clusterName, user, userName, namespace: namespace === '' ? undefined : namespace };
}

/** `spec.cluster` of an ExecCredential. */
async function clusterInfo(
  cluster: ClusterEntry,
  server: string,
  proxyUrl: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const { ca, servername, insecure } = await serverTls(cluster);
  return {
    server,
    'tls-server-name': servername,
    'insecure-skip-tls-verify': insecure,
    'certificate-authority-data': ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
    'proxy-url': proxyUrl,
    'disable-compression': cluster['disable-compression'],
    config: cluster.extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension,
  };
}

/** One agent, and its connections, for as long as the TLS material stays the same. */
function agents(way: { readonly server: string; readonly proxyUrl: string }) {
  let current: { readonly key: string; readonly agent: NonNullable<Credentials['agent']> } | undefined;
  return async (tls: TlsSettings) => {
    const key = createHash('sha256').update(JSON.stringify(tls)).digest('base64');
    if (current?.key !== key) current = { key, agent: await proxyAgent(way, tls) };
    return current.agent;
  };
}

function fail(server: string, error: unknown): never {
  const message = `no credentials for ${server}: ${describeError(error)}`;
  throw new DispatchError('ClusterUnavailable', message, { cause: error });
}
