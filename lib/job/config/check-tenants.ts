import { canonicalJson } from '../../core/json.ts';
import { withoutPath, type TenantConfig, type TenantSource } from './tenant-config.ts';

interface Wrong {
  readonly field: string;
  /** After the field: `must …`. */
  readonly message: string;
}

interface Tenants {
  readonly tenants: Readonly<Record<string, TenantConfig>>;
  readonly targets: Readonly<
    Record<string, { readonly namespace: string; readonly namespaces: readonly string[]; readonly access: unknown }>
  >;
}

/** Something that only one tenant may have. */
interface Claim<T> {
  readonly tenant: string;
  readonly field: string;
  readonly what: T;
}

/** What makes two tenants meet, or names what there is not. */
export function checkTenants({ tenants, targets }: Tenants): readonly Wrong[] {
  const places: Claim<{ readonly access: string; readonly namespace: string }>[] = [];
  const sources: Claim<TenantSource>[] = [];
  const wrong: Wrong[] = [];
  for (const [tenant, config] of Object.entries(tenants)) {
    for (const [target, namespaces] of Object.entries(config.targets)) {
      const field = `tenants.${tenant}.targets.${target}`;
      const known = Object.hasOwn(targets, target) ? targets[target] : undefined;
      const has = known === undefined ? [] : [known.namespace, ...known.namespaces];
      const unknown = namespaces.find((namespace) => !has.includes(namespace));
      if (known === undefined)
        wrong.push({ field, message: `must be one of targets: ${Object.keys(targets).join(', ')}` });
      else if (unknown !== undefined)
        wrong.push({
          field,
          message: `must be namespaces of that target: add ${unknown} to targets.${target}.namespaces`,
        });
      const access = canonicalJson(known?.access ?? null);
      places.push(...namespaces.map((namespace) => ({ tenant, field, what: { access, namespace } })));
    }
    sources.push(
      ...config.sources.map((what, index) => ({ tenant, field: `tenants.${tenant}.sources[${index}]`, what })),
    );
  }
  const shared = meet(places, (a, b) => a.access === b.access && a.namespace === b.namespace);
  const both = meet(sources, overlap);
  return [
    ...wrong,
    ...shared.map(({ field, what, other }) => ({
      field,
      message: `must have namespaces of its own: ${what.namespace} is also of tenant ${other}`,
    })),
    ...both.map(({ field, other }) => ({ field, message: `must be of one tenant: it is also of tenant ${other}` })),
  ];
}

function meet<T>(
  claims: readonly Claim<T>[],
  same: (a: T, b: T) => boolean,
): (Claim<T> & { readonly other: string })[] {
  return claims.flatMap((claim, index) => {
    const other = claims.slice(0, index).find(({ tenant, what }) => tenant !== claim.tenant && same(what, claim.what));
    return other === undefined ? [] : [{ ...claim, other: other.tenant }];
  });
}

function overlap(a: TenantSource, b: TenantSource): boolean {
  if (a.bucket === undefined || b.bucket === undefined) return sameSource(a) === sameSource(b);
  const [one, two] = [a.prefix ?? '', b.prefix ?? ''];
  return a.bucket === b.bucket && (one.startsWith(two) || two.startsWith(one));
}

/** Two claims of one issuer may be in one token: that they are of one tenant is seen when it comes. */
function sameSource({ bucket, queue, scheduleGroup, principal, token }: TenantSource): string {
  return canonicalJson({ bucket, queue, scheduleGroup, token, principal: principal && withoutPath(principal) });
}
