import type { Agent } from 'node:http';
import type { TlsSettings } from '../../http/connections.ts';

/** Names in lower case; a header with several values is sent as often. */
export type Headers = Readonly<Record<string, string | string[]>>;

/** What one request needs to be let in. */
export interface Credentials {
  readonly headers: Headers;
  readonly tls: TlsSettings;
  /** Goes through a proxy; it already holds `tls`. */
  readonly agent?: Agent;
}

/** One API server and who we are there. */
export interface Connection {
  /** Base URL, with a path when the server is behind one; that of the last credentials. */
  readonly server: string;
  /**
   * Kept while they are good; `renew` after the server refused them.
   * @throws DispatchError `ClusterUnavailable` when they cannot be had.
   */
  credentials(renew: boolean): Promise<Credentials>;
}
