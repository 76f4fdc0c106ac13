import { describeError, DispatchError, isDispatchError } from '../core/errors.ts';
import type { OrderRequest } from './order.ts';
import type { RunRequest } from './request.ts';

/**
 * What became of one record of a batch. Requests beside an error are good ones of the same record: they are accepted,
 * and the record fails all the same, which does them no harm when it comes again.
 */
export interface RecordResult {
  /** The SQS message id, for the partial batch response; of a direct event, the record's number. */
  readonly messageId: string;
  /** Of a FIFO queue alone: records of one group are done in their order. */
  readonly group?: string;
  readonly requests: readonly RunRequest[];
  /** What is wanted of runs that are there. */
  readonly orders?: readonly OrderRequest[];
  readonly error?: DispatchError;
}

/** Parses each part on its own, so that none can hide another. */
export function collect<T>(
  messageId: string,
  parts: readonly T[],
  parse: (part: T) => RunRequest | undefined,
): RecordResult {
  const requests: RunRequest[] = [];
  let error: DispatchError | undefined;
  for (const part of parts) {
    try {
      const request = parse(part);
      if (request !== undefined) requests.push(request);
    } catch (thrown) {
      error ??= asDispatchError(thrown);
    }
  }
  return error === undefined ? { messageId, requests } : { messageId, requests, error };
}

export function asDispatchError(thrown: unknown): DispatchError {
  return isDispatchError(thrown) ? thrown : new DispatchError('Internal', describeError(thrown), { cause: thrown });
}
