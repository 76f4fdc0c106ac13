import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { DispatchError, describeError } from '../../../core/errors.ts';
import type { TlsSettings } from '../../../http/connections.ts';
import type { UserEntry } from './file.ts';
import { invalid } from './invalid.ts';

/** What the Kubernetes client of JavaScript is loaded for, which takes 50 ms: proxies, and OpenID Connect. */
const NAME = 'this';

export interface ProxiedServer {
  readonly server: string;
  readonly proxyUrl: string;
}

/** An agent that reaches the server through its proxy, http, https or socks5. */
export async function proxyAgent({ server, proxyUrl }: ProxiedServer, tls: TlsSettings): Promise<Agent> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const reader = new KubeConfig();
  const { insecure = false, ...material } = tls;
  const cluster = { name: NAME, server, proxyUrl, skipTLSVerify: insecure };
  const { cert, key, ca, servername } = material;
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  reader.loadFromClusterAndUser(
    {
      ...cluster,
      ...(ca === undefined ? {} : { caData: base64(ca) }),
      ...(servername === undefined ? {} : { tlsServerName: servername }),
    },
    {
      name: NAME,
      ...(cert === undefined ? {} : { certData: base64(cert) }),
      ...(key === undefined ? {} : { keyData: base64(key) }),
    },
  );
  const options: RequestOptions = {};
  await reader.applyToHTTPSOptions(options);
  if (typeof options.agent === 'object') return options.agent;
  throw new DispatchError('Internal', 'the Kubernetes client made no agent for a proxy');
}

const PROVIDERS = ['oidc', 'gcp', 'azure'];

/**
 * The Authorization header of an `auth-provider`, renewed by it where it is over. The reader keeps what it renewed: the
 * same function is to be called again.
 * @throws DispatchError `InvalidConfiguration`, `ClusterUnavailable`
 */
export function authProvider(provider: NonNullable<UserEntry['auth-provider']>): () => Promise<string> {
  const { name } = provider;
  if (!PROVIDERS.includes(name)) {
    throw invalid(`auth-provider '${name}' is not known: known are ${PROVIDERS.join(', ')}; or use an exec plugin`);
  }
  let made: Promise<{ applyToHTTPSOptions(options: RequestOptions): Promise<void> }> | undefined;
  const reader = async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const one = new KubeConfig();
    one.loadFromClusterAndUser(
      { name: NAME, server: 'https://none', skipTLSVerify: false },
      { name: NAME, authProvider: provider },
    );
    return one;
  };
  return async () => {
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    try {
      await (await (made ??= reader())).applyToHTTPSOptions(options);
    } catch (error) {
      throw new DispatchError('ClusterUnavailable', `auth-provider '${name}' failed: ${describeError(error)}`);
    }
    const header = options.headers['Authorization'];
    if (header !== undefined) return header;
    throw new DispatchError(
      'ClusterUnavailable',
      `auth-provider '${name}' has no token, and none to renew it with: log in again`,
    );
  };
}
