import { DispatchError } from '../../core/errors.ts';
import { callerText, type Caller, type RunRequest, type RunSource } from '../../trigger/request.ts';
import { mergeLayers } from '../spec/layers.ts';
import type { DispatchConfig } from './dispatch-config.ts';
import { withoutPath, type TenantConfig, type TenantSource } from './tenant-config.ts';

/**
 * The request with its tenant, by where it came from, and an identity that no request of another tenant has. Without
 * tenants, and from a source that has none, it stays as it is: `deploymentOf` refuses the second.
 */
export function withTenant(request: RunRequest, deployment: Pick<DispatchConfig, 'tenants'>): RunRequest {
  const tenant = tenantWith(request.source, deployment);
  if (tenant === undefined) return request;
  return { ...request, tenant, identity: identityIn(tenant, request.identity) };
}

export function identityIn(tenant: string | undefined, identity: string): string {
  return tenant === undefined ? identity : JSON.stringify(['tenant', tenant, identity]);
}

function tenantWith(source: RunSource, { tenants }: Pick<DispatchConfig, 'tenants'>): string | undefined {
  const found = Object.keys(tenants).filter((name) => tenants[name]?.sources.some((it) => covers(it, source)));
  // A token may have the claims of several tenants. Whose request it is would be a guess.
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Whose the source is; undefined in a deployment without tenants.
 * @throws DispatchError `NotAllowed` where there are tenants, and the source has none
 */
export function tenantOf(source: RunSource, deployment: Pick<DispatchConfig, 'tenants'>): string | undefined {
  const tenant = tenantWith(source, deployment);
  if (tenant === undefined && Object.keys(deployment.tenants).length > 0) throw noTenant(source);
  return tenant;
}

/**
 * The deployment as the request's tenant sees it: its own targets, namespaces, defaults, rules and allow-list, and none
 * of any other tenant's.
 * @throws DispatchError `NotAllowed` where there are tenants, and the request has none
 */
export function deploymentOf(request: RunRequest, deployment: DispatchConfig): DispatchConfig {
  const { tenants } = deployment;
  if (Object.keys(tenants).length === 0) return deployment;
  const tenant = request.tenant === undefined ? undefined : tenants[request.tenant];
  if (tenant !== undefined) return seenBy(tenant, deployment);
  throw noTenant(request.source);
}

/** Whether its tenant may have tasks of state machines told of the end of runs. */
export function allowsTaskTokens({ tenant }: RunRequest, { tenants, allow }: DispatchConfig): boolean {
  const own = Object.keys(tenants).length === 0 ? allow : tenants[tenant ?? '']?.allow;
  return own?.taskTokens === true;
}

function noTenant(source: RunSource): DispatchError {
  const message = `${describe(source)} belongs to no tenant: add it to tenants.<name>.sources`;
  return new DispatchError('NotAllowed', message, { field: 'source' });
}

/** Whether an object in S3 is another tenant's: where its uploads are, or its stored jobs. */
export function isOthersObject(
  object: { readonly bucket: string; readonly key: string },
  request: RunRequest,
  { tenants }: Pick<DispatchConfig, 'tenants'>,
): boolean {
  const source = { kind: 'jar-upload', eventTime: 0, ...object } as const;
  return Object.entries(tenants).some(
    ([name, { sources }]) => name !== request.tenant && sources.some((it) => covers(it, source)),
  );
}

function seenBy(tenant: TenantConfig, deployment: DispatchConfig): DispatchConfig {
  const targets = Object.fromEntries(
    Object.entries(tenant.targets).flatMap(([name, [namespace, ...namespaces]]) => {
      const target = deployment.targets[name];
      return target === undefined || namespace === undefined ? [] : [[name, { ...target, namespace, namespaces }]];
    }),
  );
  const defaults = mergeLayers([deployment.defaults, tenant.defaults]);
  const [first] = Object.keys(targets);
  const hasDefault = defaults.target !== undefined || 'default' in targets || first === undefined;
  return {
    ...deployment,
    targets,
    defaults: hasDefault ? defaults : { ...defaults, target: first },
    rules: [...deployment.rules, ...tenant.rules],
    events: [...deployment.events, ...tenant.events],
    allow: tenant.allow,
  };
}

/** By what AWS says of the source, never by what the request does. */
function covers(own: TenantSource, source: RunSource): boolean {
  const { bucket, prefix = '', queue, scheduleGroup } = own;
  switch (source.kind) {
    case 'jar-upload':
      return source.bucket === bucket && source.key.startsWith(prefix);
    case 'message':
      return source.queueArn === queue;
    case 'schedule':
      return scheduleGroup !== undefined && source.calledBy === scheduleGroup;
    case 'http':
      return isCaller(own, source.caller);
  }
}

function isCaller({ principal, token }: TenantSource, caller: Caller): boolean {
  if (caller.kind === 'iam') return principal !== undefined && withoutPath(principal) === caller.principal;
  if (token === undefined || token.issuer !== caller.issuer) return false;
  const values = Object.hasOwn(caller.claims, token.claim) ? caller.claims[token.claim] : undefined;
  return values?.includes(token.value) ?? false;
}

function describe(source: RunSource): string {
  switch (source.kind) {
    case 'jar-upload':
      return `s3://${source.bucket}/${source.key}`;
    case 'message':
      return `the queue ${source.queueArn}`;
    case 'schedule':
      return source.calledBy === undefined
        ? 'a schedule that calls the function itself, not the alias of its group,'
        : `the schedule group ${source.calledBy}`;
    case 'http':
      return callerText(source.caller);
  }
}
