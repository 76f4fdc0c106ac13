import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';

/** How to speak TLS with a server; PEM texts. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must bear, when it is not the host of the URL. */
  readonly servername?: string;
  /** Accepts any certificate. */
  readonly insecure?: boolean;
}

/** The connections that requests to URLs of this protocol use, with this TLS. */
export type Connections = (protocol: 'http:' | 'https:', tls: TlsSettings) => http.Agent;

/** Connections that stay open between requests: of each protocol, for as long as the TLS material stays the same. */
export function keptConnections(most: number): Connections {
  const current = new Map<string, { readonly key: string; readonly agent: http.Agent }>();
  return (protocol, tls) => {
    const key = createHash('sha256').update(JSON.stringify(tls)).digest('base64');
    const known = current.get(protocol);
    if (known?.key === key) return known.agent;
    const agent = newAgent(protocol, tls, most);
    current.set(protocol, { key, agent });
    return agent;
  };
}

function newAgent(protocol: 'http:' | 'https:', tls: TlsSettings, maxSockets: number): http.Agent {
  const common = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
  if (protocol === 'http:') return new http.Agent(common);
  const { insecure, ...material } = tls;
  return new https.Agent({ ...common, ...material, ...(insecure === true ? { rejectUnauthorized: false } : {}) });
}
