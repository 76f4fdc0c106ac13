import type { AwsCredentialIdentity, Provider } from '@smithy/types';
import { DispatchError } from '../core/errors.ts';
import type { TargetConfig } from '../job/deployment.ts';
import type { Connection } from './connection.ts';

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
      return kubeconfigConnection({ files: [path], ...(context === undefined ? {} : { context }) });
    }
    case 'secret': {
      const { kubeconfigConnection } = await import('./kubeconfig.ts');
      return kubeconfigConnection({ text: await deps.readSecret(access.arn) });
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
