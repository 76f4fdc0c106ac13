import { badRequest } from '../errors.ts';
import type { KubeObject } from '../objects.ts';
import { parseFieldSelector, parseLabelSelector } from '../selectors.ts';
import type { Store } from '../store.ts';
import type { Target } from './request.ts';

/** The objects that a list or a watch asks for. @throws ApiError 400 */
export function selectionOf({ namespace, name }: Target, query: URLSearchParams): (object: KubeObject) => boolean {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '');
  const byField = parseFieldSelector(query.get('fieldSelector') ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    byLabel(object) &&
    byField(object);
}

function sortKey({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Pages are cut by name: a page may miss what is created before its start meanwhile. */
export function list(store: Store, target: Target, query: URLSearchParams): object {
  const selected = store.list(target.resource, target.namespace).filter(selectionOf(target, query));
  selected.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const limit = Number(query.get('limit') ?? 0);
  if (!Number.isInteger(limit) || limit < 0) throw badRequest('limit: must be a whole number, not negative');
  const start = Buffer.from(query.get('continue') ?? '', 'base64url').toString();
  const rest = selected.filter((object) => sortKey(object) > start);
  const items = limit === 0 ? rest : rest.slice(0, limit);
  const last = items.at(-1);
  const more = last !== undefined && items.length < rest.length;
  const paging = more
    ? { continue: Buffer.from(sortKey(last)).toString('base64url'), remainingItemCount: rest.length - items.length }
    : {};
  return {
    kind: `${target.resource.kind}List`,
    apiVersion: target.apiVersion,
    metadata: { resourceVersion: String(store.version), ...paging },
    items,
  };
}
