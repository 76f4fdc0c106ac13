import type { KubernetesObject } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { describeError, DispatchError, isDispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';

/**
 * What comes from an API server, or from whatever answers in its place, may have any shape: reading it fails as an answer
 * that did not come.
 * @throws DispatchError `ClusterUnavailable`
 */
export async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isDispatchError(error)) throw error;
    throw unreadable(describeError(error), error);
  }
}

/** An object with its metadata: a page of a proxy is no Deployment. @throws DispatchError `ClusterUnavailable` */
export function requireObject<T extends KubernetesObject>(body: unknown, what: string): T {
  if (isRecord(body) && isRecord(body['metadata'])) return body as unknown as T;
  throw unreadable(`${what} is no object of Kubernetes`);
}

/** The objects of a list: what is no list does not prove that there are none. @throws DispatchError `ClusterUnavailable` */
export function requireItems<T extends KubernetesObject>(body: unknown, what: string): readonly T[] {
  const items: unknown = isRecord(body) ? body['items'] : undefined;
  if (Array.isArray(items) && items.every((item) => isRecord(item) && isRecord(item['metadata']))) return items as T[];
  // As Go writes a list that was never filled.
  const empty = isRecord(body) && items === null && String(body['kind']).endsWith('List');
  if (empty) return [];
  throw unreadable(`the list of ${what} is none`);
}

function unreadable(why: string, cause?: unknown): DispatchError {
  const message = `the API server's answer cannot be read: ${why}`;
  return new DispatchError('ClusterUnavailable', message, defined({ cause }));
}
