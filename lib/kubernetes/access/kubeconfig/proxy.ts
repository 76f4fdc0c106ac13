import { BlockList, isIP } from 'node:net';
import { invalid } from './invalid.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy on the way to a server: `proxy-url` of its cluster, else what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, with
 * the rules of Go's `http.ProxyFromEnvironment`.
 * @throws DispatchError `InvalidConfiguration`
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: Env): string | undefined {
  if (proxyUrl !== undefined && proxyUrl !== '') return checked(proxyUrl, 'proxy-url of the cluster');
  const name = server.protocol === 'http:' ? 'HTTP_PROXY' : 'HTTPS_PROXY';
  const named = env[name] ?? env[name.toLowerCase()] ?? '';
  if (named === '' || isLocal(server.hostname) || bypassed(server, env['NO_PROXY'] ?? env['no_proxy'] ?? '')) {
    return undefined;
  }
  return checked(named.includes('://') ? named : `http://${named}`, name);
}

/** The URL is not quoted: it may hold a password. */
function checked(proxy: string, what: string): string {
  const known = URL.canParse(proxy) && /^(?:https?|socks5h?):$/.test(new URL(proxy).protocol);
  if (!known) throw invalid(`${what} must be a URL of http, https or socks5, such as http://proxy:3128`);
  return proxy;
}

function isLocal(hostname: string): boolean {
  const address = bare(hostname);
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function bypassed(server: URL, noProxy: string): boolean {
  const host = bare(server.hostname);
  const port = server.port === '' ? (server.protocol === 'http:' ? '80' : '443') : server.port;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && (entry === '*' || matches(entry, host, port)));
}

/** An address, a network, a domain with all below it, `.domain` or `*.domain` for those below it alone; with a port. */
function matches(entry: string, host: string, port: string): boolean {
  const network = /^(.+)\/(\d+)$/.exec(entry);
  if (network !== null) return isIP(host) !== 0 && within(host, network[1] ?? '', Number(network[2]));
  const [, bracketed, named, asked = port] = /^(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  const name = bracketed ?? named ?? entry;
  if (asked !== port) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && within(host, name, isIP(name) === 6 ? 128 : 32);
  const domain = name.replace(/^\*?\.?/, '');
  return host.endsWith(`.${domain}`) || (name === domain && host === domain);
}

function within(host: string, address: string, bits: number): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0 || bits > (family === 'ipv6' ? 128 : 32)) return false;
  const networks = new BlockList();
  networks.addSubnet(address, bits, family);
  return networks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
