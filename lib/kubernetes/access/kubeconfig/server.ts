import { readFile } from 'node:fs/promises';
import { defined } from '../../../core/defined.ts';
import type { TlsSettings } from '../../../http/connections.ts';
import type { ClusterEntry } from './file.ts';
import { invalid } from './invalid.ts';

export interface ServerAddress {
  /** Base URL without user, query and fragment. */
  readonly url: string;
  /** Of the URL's `user:password@`, for the Authorization header. */
  readonly basic?: string;
}

/**
 * As `rest.DefaultServerURL`: a server without a scheme is one of HTTPS when something is said of its TLS, of HTTP else.
 * @throws DispatchError `InvalidConfiguration`
 */
export function addressOf(cluster: ClusterEntry, name: string): ServerAddress {
  const { server = '' } = cluster;
  if (cluster['insecure-skip-tls-verify'] === true && authorityOf(cluster) !== undefined) {
    throw invalid(
      `cluster '${name}' has a certificate-authority and insecure-skip-tls-verify, which contradict each other: remove one of them`,
    );
  }
  if (server === '') throw invalid(`cluster '${name}' has no server: set clusters[].cluster.server to its URL`);
  const tls = cluster['insecure-skip-tls-verify'] === true || authorityOf(cluster) !== undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${tls ? 'https' : 'http'}://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.host === '') {
    throw invalid(`server of cluster '${name}' must be a URL of http or https, such as https://host:6443`);
  }
  const { username, password } = url;
  const base = `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
  if (username === '' && password === '') return { url: base };
  return { url: base, basic: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };
}

function authorityOf(cluster: ClusterEntry): string | undefined {
  return [cluster['certificate-authority-data'], cluster['certificate-authority']].find((one = '') => one !== '');
}

/** How the server is known; files are read each time, as they may be renewed. */
export async function serverTls(cluster: ClusterEntry): Promise<TlsSettings> {
  const name = 'certificate-authority';
  const ca = await materialOf({ name, data: cluster[`${name}-data`], file: cluster[name] });
  const servername = cluster['tls-server-name'];
  return {
    ...defined({ ca }),
    ...(servername === undefined || servername === '' ? {} : { servername }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
  };
}

export interface Material {
  /** The field that holds the path. */
  readonly name: string;
  readonly data: string | undefined;
  readonly file: string | undefined;
}

/** Data of the kubeconfig or the text of a file. @throws DispatchError `InvalidConfiguration` */
export async function materialOf({ name, data = '', file = '' }: Material): Promise<string | undefined> {
  if (data !== '' && file !== '') throw invalid(`${name} and ${name}-data are both set: remove one of them`);
  if (data !== '') return data;
  if (file === '') return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(`the file of ${name} cannot be read`, error);
  }
}
