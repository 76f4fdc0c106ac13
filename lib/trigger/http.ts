import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { parseWith } from '../core/schema.ts';
import { parseObjectText } from '../core/yaml.ts';
import { contentOf, idempotencyKey } from './message.ts';
import type { Caller, RunRequest } from './request.ts';

export interface RunCall {
  readonly requestId: string;
  readonly caller: Caller;
  /** As it came: a job message. */
  readonly body: string;
  /** The header Idempotency-Key. */
  readonly key: string | undefined;
}

/**
 * The request of one call by HTTP, whose body is that of a job message. Its key holds for all callers of a tenant.
 * @throws DispatchError `MalformedRequest`, `InvalidSpec`
 */
export function parseRunCall({ requestId, caller, body, key: header }: RunCall): RunRequest {
  const { runJob, idempotencyKey: inBody, spec, tick, tag, taskToken } = contentOf(parseObjectText(body, 'the body'));
  if (tick !== undefined) throw new DispatchError('InvalidSpec', 'tick is for messages', { field: 'tick' });
  if (inBody !== undefined && header !== undefined && inBody !== header) {
    const message = 'idempotencyKey differs between the body and the header Idempotency-Key';
    throw new DispatchError('InvalidSpec', message, { field: 'idempotencyKey' });
  }
  const key = inBody ?? (header === undefined ? undefined : parseWith(idempotencyKey, header, 'idempotencyKey'));
  return {
    source: { kind: 'http', requestId, caller, ...defined({ idempotencyKey: key }) },
    isAnswered: true,
    identity: JSON.stringify(['http', ...(key === undefined ? ['request', requestId] : ['key', key])]),
    ...defined({ spec, job: runJob, tag, taskToken }),
  };
}
