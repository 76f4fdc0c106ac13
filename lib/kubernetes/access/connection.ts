import type { Agent } from 'node:http';

/** How to speak TLS with an API server; PEM texts. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must bear, when it is not the host of the URL. */
  readonly servername?: string;
  /** Accepts any certificate. */
  readonly insecure?: boolean;
}

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
