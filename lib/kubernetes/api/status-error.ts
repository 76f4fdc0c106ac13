import type { V1Status, V1StatusCause } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { DispatchError, type ErrorDetails } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import type { Reason } from '../../core/reasons.ts';
import type { ApiResponse } from './api.ts';

/** What was asked: `create configmaps/flink-config-x in namespace flink`. */
export interface Asked {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
}

/** True for an answer that did what was asked. */
export function succeeded(response: ApiResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** The API server's own words for a refusal, as an error of this product. */
export function statusError(response: ApiResponse, asked: Asked): DispatchError {
  const status = statusIn(response.body);
  const said = saidBy(response, status);
  if (response.status === 401) {
    return new DispatchError('PermissionDenied', `Kubernetes does not accept the target's credentials: ${said}`);
  }
  const what = `${asked.verb} ${asked.resource} in namespace ${asked.namespace}`;
  const message = `Kubernetes refused to ${what}: ${said} (status ${response.status})`;
  const reason = reasonOf(response.status, status, said);
  return new DispatchError(reason, message, detailsOf(reason, response, status));
}

function saidBy({ body }: ApiResponse, status: V1Status | undefined): string {
  const text = status?.message ?? (typeof body === 'string' ? body.trim().slice(0, 500) : '');
  return text === '' ? 'no reason given' : text;
}

function reasonOf(code: number, status: V1Status | undefined, said: string): Reason {
  switch (code) {
    case 403:
      return reasonOfForbidden(status, said);
    case 404:
      return status?.details?.kind === 'namespaces' ? 'NamespaceMissing' : 'ClusterUnavailable';
    case 400:
    case 413:
    case 415:
    case 422:
      return 'InvalidConfiguration';
    default:
      // 409 and 410: somebody changed it meanwhile; 429 and 5xx: the server asks for patience.
      return 'ClusterUnavailable';
  }
}

function detailsOf(reason: Reason, response: ApiResponse, status: V1Status | undefined): ErrorDetails {
  if (reason === 'NamespaceMissing') return { field: 'namespace' };
  if (reason === 'InvalidConfiguration') return fieldOf(status);
  const retryAfter = response.retryAfter ?? status?.details?.retryAfterSeconds;
  return reason === 'ClusterUnavailable' && retryAfter !== undefined ? { retryAfter } : {};
}

/** 403 is also how admission says no: quotas, policies, a namespace that is going away. */
function reasonOfForbidden(status: V1Status | undefined, said: string): Reason {
  if (said.includes('exceeded quota')) return 'QuotaExceeded';
  if (status?.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true)
    return 'NamespaceMissing';
  if (said.includes('failed quota') || said.includes('admission webhook') || said.includes('violates PodSecurity')) {
    return 'InvalidConfiguration';
  }
  return 'PermissionDenied';
}

function fieldOf(status: V1Status | undefined): ErrorDetails {
  const field = status?.details?.causes?.find((cause) => cause.field !== undefined)?.field;
  return defined({ field });
}

/** What is read of a Status, as far as it has the type that it should have. */
export function statusIn(body: unknown): V1Status | undefined {
  if (!isRecord(body) || body['kind'] !== 'Status') return undefined;
  const { reason, message, details } = body;
  const { kind, causes, retryAfterSeconds: seconds } = isRecord(details) ? details : {};
  return {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    details: {
      ...(typeof kind === 'string' ? { kind } : {}),
      ...(typeof seconds === 'number' && seconds >= 0 ? { retryAfterSeconds: seconds } : {}),
      causes: (Array.isArray(causes) ? causes : []).filter(isRecord).map(causeOf),
    },
  };
}

function causeOf({ field, reason }: Record<string, unknown>): V1StatusCause {
  return {
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
  };
}
