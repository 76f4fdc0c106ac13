import type { AwsCredentialIdentity, Provider } from '@smithy/types';
import { describeError, DispatchError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { eksTokens } from './eks-token.ts';

export interface EksCluster {
  /** The cluster's name in EKS. */
  readonly cluster: string;
  readonly region: string;
  /** `https://….eks.amazonaws.com`. */
  readonly endpoint: string;
  /** Base64 of PEM, as `aws eks describe-cluster` gives it. */
  readonly certificateAuthorityData: string;
}

export interface EksAccess {
  readonly credentials: Provider<AwsCredentialIdentity>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** An EKS cluster with the caller's own AWS identity; its access entries or aws-auth decide what that may do. */
export function eksConnection(target: EksCluster, access: EksAccess): Connection {
  const token = eksTokens({ cluster: target.cluster, region: target.region, ...access });
  const tls = { ca: Buffer.from(target.certificateAuthorityData, 'base64').toString('utf8') };
  return {
    server: target.endpoint,
    async credentials(renew) {
      try {
        return { headers: { authorization: `Bearer ${await token(renew)}` }, tls };
      } catch (error) {
        const message = `no token for EKS cluster ${target.cluster}: ${describeError(error)}`;
        throw new DispatchError('ClusterUnavailable', message, { cause: error });
      }
    },
  };
}
