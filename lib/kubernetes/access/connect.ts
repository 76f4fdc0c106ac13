import { readFile } from 'node:fs/promises';
import type { AwsCredentialIdentity, Provider } from '@smithy/types';
import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { TargetConfig } from '../../job/config/dispatch-config.ts';
import type { Connection } from './connection.ts';
import { rereading, type ConnectionSource } from './rereading.ts';

/** What is mounted into a function is replaced in place. */
const FILE_AGE: Duration = 60_000;
/** A read of a secret has its price. */
const SECRET_AGE: Duration = 5 * 60_000;

/** What the ways to a cluster need of the machine; each is used only by those that need it. */
export interface ConnectDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly awsCredentials: Provider<AwsCredentialIdentity>;
  /** The text of a secret: a kubeconfig. */
  readonly readSecret: (arn: string) => Promise<string>;
}

/**
 * The connection that a target's `access` describes. What is not used is not loaded: the kubeconfig reader alone takes
 * 50 ms.
 * @throws DispatchError `InvalidConfiguration`, naming the field under `access`.
 */
export async function connect(access: TargetConfig['access'], deps: ConnectDeps): Promise<Connection> {
  switch (access.kind) {
    case 'kubeconfig': {
      const { kubeconfigConnection } = await import('./kubeconfig.ts');
      const { path, context } = access;
      const file: ConnectionSource = {
        // One that is not there is told of by its reader.
        text: () => readFile(path, 'utf8').catch(() => ''),
        open: () => kubeconfigConnection({ files: [path], ...defined({ context }) }),
      };
      return rereading(file, { now: deps.now, maxAge: FILE_AGE });
    }
    case 'secret': {
      const { kubeconfigConnection } = await import('./kubeconfig.ts');
      const secret: ConnectionSource = {
        text: () => deps.readSecret(access.arn),
        open: (text) => kubeconfigConnection({ text }),
      };
      return rereading(secret, { now: deps.now, maxAge: SECRET_AGE });
    }
    case 'in-cluster': {
      const { inClusterConnection } = await import('./in-cluster.ts');
      const host = deps.env['KUBERNETES_SERVICE_HOST'];
      if (host === undefined) {
        const message = 'access.kind in-cluster works in a pod alone: KUBERNETES_SERVICE_HOST is not set';
        throw new DispatchError('InvalidConfiguration', message, { field: 'access.kind' });
      }
      return inClusterConnection({ host, port: deps.env['KUBERNETES_SERVICE_PORT'] ?? '443', now: deps.now });
    }
    case 'eks': {
      const { eksConnection } = await import('./eks.ts');
      return eksConnection(access, { credentials: deps.awsCredentials, now: deps.now });
    }
  }
}
