import { isIP } from 'node:net';
import { DispatchError } from '../core/errors.ts';
import { normalHost } from './reference.ts';

/** How a registry wants to be talked to, of the deployment's configuration. */
export interface RegistrySettings {
  readonly auth: RegistryAuth;
  /** Plain HTTP; without it only on loopback. */
  readonly insecure?: boolean;
  /** Hosts beside the registry's own that may be sent its credentials to make tokens of them. */
  readonly tokenHosts?: readonly string[];
}

export type RegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'ecr'; readonly region?: string | undefined }
  /** A secret of Secrets Manager: the JSON of a Docker configuration, or `{"username": …, "password": …}`. */
  | { readonly kind: 'secret'; readonly arn: string };

/** By host, as image names have it. */
export type RegistryHosts = Readonly<Record<string, RegistrySettings>>;

/** Where to send requests, and what to send there. */
export interface Endpoint {
  readonly host: string;
  readonly origin: string;
  readonly settings: RegistrySettings;
}

/**
 * The only way from a name to an address: a registry that the deployment does not name is not asked.
 * @throws DispatchError `NotAllowed`
 */
export function endpointOf(hosts: RegistryHosts, host: string, field: string): Endpoint {
  const settings = Object.entries(hosts).find(([name]) => normalHost(name) === normalHost(host))?.[1];
  if (settings === undefined) {
    const message = `${field} is in the registry ${host}, which is not among the registries of the deployment`;
    throw new DispatchError('NotAllowed', message, { field });
  }
  const address = host === 'docker.io' ? 'registry-1.docker.io' : host;
  const plain = settings.insecure === true || isLoopback(new URL(`http://${address}`).hostname);
  return { host, origin: `${plain ? 'http' : 'https'}://${address}`, settings };
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/**
 * Whether an address that a registry names (a redirect, the place of an upload) may be asked, and with what.
 * `own`: with credentials; `other`: without; `no`: an address that a request from inside must not reach.
 */
export function judgeAddress({ origin }: Endpoint, to: URL): 'own' | 'other' | 'no' {
  const from = new URL(origin);
  if (to.username !== '' || to.password !== '') return 'no';
  if (to.origin === from.origin) return 'own';
  if (isLoopback(from.hostname)) return isLoopback(to.hostname) ? 'other' : 'no';
  const numeric = isIP(to.hostname.replace(/^\[|\]$/g, '')) !== 0;
  return to.protocol === 'https:' && !numeric && !isLoopback(to.hostname) ? 'other' : 'no';
}

/** Whether the registry's credentials may be sent to the address at which it says that tokens are made. */
export function mayMakeTokens({ origin, host, settings }: Endpoint, realm: URL): boolean {
  const own = new URL(origin);
  if (realm.username !== '' || realm.password !== '') return false;
  if (realm.protocol !== 'https:' && realm.protocol !== own.protocol) return false;
  const known = [own.host, ...(settings.tokenHosts ?? []), ...(host === 'docker.io' ? ['auth.docker.io'] : [])];
  return known.includes(realm.host);
}
