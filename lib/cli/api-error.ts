import type { ApiResponse } from '../cluster/api.ts';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';

/** What a status of the API server other than the wanted one means for the caller. */
export function apiError({ status, body }: ApiResponse, what: string): DispatchError {
  const said = isRecord(body) && typeof body['message'] === 'string' ? body['message'] : `status ${status}`;
  const message = `${what}: ${said}`;
  if (status === 401 || status === 403) return new DispatchError('PermissionDenied', message);
  if (status === 409) return new DispatchError('ClusterNameTaken', message);
  if (status === 400 || status === 422) return new DispatchError('InvalidConfiguration', message);
  return new DispatchError('ClusterUnavailable', message);
}
