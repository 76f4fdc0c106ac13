import { readFile } from 'node:fs/promises';
import { describeError, DispatchError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';

/** Where the kubelet puts a pod's service account. */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews the token long before it ends; client-go reads it again as often. */
const TOKEN_AGE = 60_000;

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string;
  readonly port: string;
  readonly folder?: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A pod's own service account. */
export function inClusterConnection(options: InClusterOptions): Connection {
  const { host, port, now, folder = SERVICE_ACCOUNT_FOLDER } = options;
  let read: { readonly at: number; readonly token: string; readonly ca: string } | undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async credentials(renew) {
      if (renew || read === undefined || now() - read.at >= TOKEN_AGE) {
        const [token, ca] = await Promise.all([readText(`${folder}/token`), readText(`${folder}/ca.crt`)]);
        read = { at: now(), token: token.trim(), ca };
      }
      return { headers: { authorization: `Bearer ${read.token}` }, tls: { ca: read.ca } };
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new DispatchError('ClusterUnavailable', `the pod's service account cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}
