import type { KubernetesObject } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import type { ApiRequest, ApiResponse, KubernetesApi } from './api.ts';
import { collectionPath, objectPath, resourceOf, type Kind } from './kinds.ts';
import { requireItems, requireObject } from './readable.ts';
import { statusError, succeeded } from './status-error.ts';

/** Metadata alone: the same objects in a tenth of the bytes. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PAGE = '500';
/** A namespace with more objects of a kind is none; a server may go on for ever. */
const MAX_PAGES = 200;

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: boolean;
  /** Objects at most; default: all of them, by pages. */
  readonly limit?: number;
}

/** Reads and lists, with refusals as errors; what else there is to ask says `request`. */
export interface ObjectClient {
  /** `undefined`: there is none. */
  get<T extends KubernetesObject>(kind: Kind, namespace: string, name: string): Promise<T | undefined>;
  list<T extends KubernetesObject>(kind: Kind, namespace: string, options: ListOptions): Promise<readonly T[]>;
  /** True: it was there, and goes. False: there is none. */
  remove(kind: Kind, namespace: string, name: string, options?: DeleteOptions): Promise<boolean>;
  request(request: ApiRequest): Promise<ApiResponse>;
}

export interface DeleteOptions {
  readonly propagationPolicy?: 'Foreground' | 'Background';
  readonly uid?: string;
}

export function createObjectClient(api: KubernetesApi): ObjectClient {
  return {
    request: (request) => api.request(request),
    async get<T extends KubernetesObject>(kind: Kind, namespace: string, name: string) {
      const response = await api.request({ method: 'GET', path: objectPath(kind, namespace, name) });
      if (response.status === 404) return undefined;
      if (!succeeded(response)) {
        throw statusError(response, { verb: 'get', resource: `${resourceOf(kind)}/${name}`, namespace });
      }
      return requireObject<T>(response.body, `${resourceOf(kind)}/${name}`);
    },
    async list<T extends KubernetesObject>(kind: Kind, namespace: string, options: ListOptions) {
      const items: T[] = [];
      let page: string | undefined;
      let pages = 0;
      do {
        const response = await api.request(listRequest(kind, namespace, options, page));
        // The rest of a list that took too long is gone: what was read stands, a later look sees the rest.
        if (response.status === 410 && page !== undefined) return items;
        if (!succeeded(response)) throw statusError(response, { verb: 'list', resource: resourceOf(kind), namespace });
        for (const item of requireItems<T>(response.body, resourceOf(kind))) items.push(item);
        page = continuation(response.body);
        pages += 1;
        if (page !== undefined && pages >= MAX_PAGES) throw endless(kind, namespace);
      } while (page !== undefined && items.length < (options.limit ?? Infinity));
      return items;
    },
    async remove(kind, namespace, name, options = {}) {
      const { uid, propagationPolicy } = options;
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        ...defined({ propagationPolicy }),
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      };
      const response = await api.request({ method: 'DELETE', path: objectPath(kind, namespace, name), body });
      if (response.status === 404) return false;
      // Another object has the name by now: the one that was meant is gone.
      if (response.status === 409 && uid !== undefined) return false;
      if (!succeeded(response)) {
        throw statusError(response, { verb: 'delete', resource: `${resourceOf(kind)}/${name}`, namespace });
      }
      return true;
    },
  };
}

function listRequest(kind: Kind, namespace: string, options: ListOptions, page: string | undefined): ApiRequest {
  const { labelSelector, fieldSelector, metadataOnly, limit } = options;
  return {
    method: 'GET',
    path: collectionPath(kind, namespace),
    query: {
      limit: limit === undefined ? PAGE : String(limit),
      ...defined({ labelSelector, fieldSelector, continue: page }),
    },
    ...(metadataOnly === true ? { accept: METADATA_ONLY } : {}),
  };
}

function endless(kind: Kind, namespace: string): DispatchError {
  const message = `the list of ${resourceOf(kind)} in namespace ${namespace} has no end`;
  return new DispatchError('ClusterUnavailable', message);
}

function continuation(body: unknown): string | undefined {
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  const page = isRecord(metadata) ? metadata['continue'] : undefined;
  return typeof page === 'string' && page !== '' ? page : undefined;
}
