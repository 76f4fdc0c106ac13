import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { describeError, DispatchError } from '../core/errors.ts';
import type { Connection, Credentials, TlsSettings } from './connection.ts';

/** An exec plugin whose token bears no end would otherwise run for every request. */
const KEEP = 60_000;

export interface KubeconfigSource {
  /** In kubectl's order: what the first file says wins. */
  readonly files?: readonly string[];
  /** The content of one, in place of files. */
  readonly text?: string;
  /** Default: the current context. */
  readonly context?: string;
}

export interface KubeconfigConnection extends Connection {
  readonly context: string;
  /** The context's own, if it has one. */
  readonly namespace: string | undefined;
}

/**
 * A kubeconfig as kubectl reads it, through the Kubernetes client's own reader: client certificates, tokens, exec
 * plugins, OpenID Connect, proxies.
 * @throws DispatchError `InvalidConfiguration`, naming the file or the context.
 */
export async function kubeconfigConnection(source: KubeconfigSource): Promise<KubeconfigConnection> {
  const { KubeConfig: Reader } = await import('@kubernetes/client-node');
  const config = load(source, Reader);
  const cluster = config.getCurrentCluster();
  const context = config.getContextObject(config.getCurrentContext());
  if (cluster === null || context === null) {
    const message = `the kubeconfig has no context '${config.getCurrentContext()}' with a cluster`;
    throw new DispatchError('InvalidConfiguration', message, { field: 'context' });
  }
  const authenticate = authenticator(config, cluster);
  let kept: { readonly at: number; readonly credentials: Credentials } | undefined;
  return {
    server: cluster.server,
    context: context.name,
    namespace: context.namespace,
    async credentials(renew) {
      if (renew || kept === undefined || Date.now() - kept.at >= KEEP) {
        kept = { at: Date.now(), credentials: await authenticate() };
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

function load(source: KubeconfigSource, Reader: typeof KubeConfig): KubeConfig {
  const config = new Reader();
  let currentContext: string | undefined;
  const add = (name: string, read: (one: KubeConfig) => void): void => {
    const one = new Reader();
    try {
      read(one);
    } catch (error) {
      const message = `${name} cannot be read: ${describeError(error)}`;
      throw new DispatchError('InvalidConfiguration', message, { field: 'kubeconfig', cause: error });
    }
    merge(config, one);
    currentContext ??= one.getCurrentContext();
  };
  const { text } = source;
  if (text !== undefined) add('the kubeconfig', (one) => one.loadFromString(text));
  for (const file of source.files ?? []) add(file, (one) => one.loadFromFile(file));
  config.setCurrentContext(source.context ?? currentContext ?? '');
  return config;
}

function merge(into: KubeConfig, from: KubeConfig): void {
  const has = (list: readonly { name: string }[], name: string): boolean => list.some((item) => item.name === name);
  for (const item of from.getClusters()) {
    // The reader refuses plain HTTP unless told not to verify the TLS that there is not.
    const plain = item.server.startsWith('http:');
    if (!has(into.getClusters(), item.name)) into.addCluster(plain ? { ...item, skipTLSVerify: true } : item);
  }
  for (const item of from.getUsers()) if (!has(into.getUsers(), item.name)) into.addUser(item);
  for (const item of from.getContexts()) if (!has(into.getContexts(), item.name)) into.addContext(item);
}

function authenticator(config: KubeConfig, cluster: Cluster): () => Promise<Credentials> {
  const proxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== '';
  let proxy: { readonly key: string; readonly agent: NonNullable<Credentials['agent']> } | undefined;
  return async () => {
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      const message = `no credentials for ${cluster.server}: ${describeError(error)}`;
      throw new DispatchError('ClusterUnavailable', message, { cause: error });
    }
    const tls = tlsOf(options);
    const headers = headersOf(options);
    if (!proxied || typeof options.agent !== 'object') return { headers, tls };
    const key = createHash('sha256').update(JSON.stringify(tls)).digest('base64');
    if (proxy?.key !== key) proxy = { key, agent: options.agent };
    return { headers, tls, agent: proxy.agent };
  };
}

function tlsOf(options: RequestOptions): TlsSettings {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === false ? { insecure: true } : {}),
  };
}

/** The reader gives buffers, an exec plugin text. */
function pem(material: unknown): string {
  return Buffer.isBuffer(material) ? material.toString('utf8') : typeof material === 'string' ? material : '';
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}
