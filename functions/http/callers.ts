import { DispatchError } from '../../lib/core/errors.ts';
import type { DispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { Caller } from '../../lib/trigger/request.ts';
import type { Config } from '../config.ts';

/** What of a call says who makes it. */
export interface Credentials {
  /** Filled in by Lambda once IAM has let the call pass. */
  readonly iam: { readonly userArn: string } | undefined;
  readonly authorization: string | undefined;
}

/** Answers who calls; undefined for nobody who is known. */
export type Callers = (credentials: Credentials) => Promise<Caller | undefined>;

/** @throws DispatchError `InvalidConfiguration` for tokens without issuer or audience */
export function callers(
  { HTTP_API: kind, OIDC_ISSUERS: issuers, OIDC_AUDIENCE: audience }: Config,
  { tenants }: Pick<DispatchConfig, 'tenants'>,
): Callers {
  if (kind === 'iam') return ({ iam }) => Promise.resolve(iam === undefined ? undefined : ofIam(iam.userArn));
  if (issuers === undefined || audience === undefined) {
    const message = 'OIDC_ISSUERS and OIDC_AUDIENCE must be set where HTTP_API is oidc: anyone’s token would do';
    throw new DispatchError('InvalidConfiguration', message, { field: 'environment.OIDC_ISSUERS' });
  }
  const sources = Object.values(tenants).flatMap((tenant) => tenant.sources);
  const claims = sources.flatMap(({ token }) => (token === undefined ? [] : [token.claim]));
  const settings = { issuers: issuers.split(',').map((issuer) => issuer.trim()), audience, claims };
  // Loaded only where tokens are in use.
  const tokens = import('./tokens.ts').then(({ tokenReader }) => tokenReader(settings));
  return async ({ authorization = '' }) => {
    const [, token] = /^bearer ([\w.-]+)$/i.exec(authorization) ?? [];
    return token === undefined ? undefined : (await tokens)(token);
  };
}

/** `arn:aws:sts::<account>:assumed-role/<role>/<session>` is that role; a user is as IAM says. */
function ofIam(arn: string): Caller {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  const principal = role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}`;
  return { kind: 'iam', principal };
}
