import { describeError, DispatchError } from '../../../core/errors.ts';

/** What is wrong with a kubeconfig; with the message of `cause`, if there is one. */
export function invalid(message: string, cause?: unknown): DispatchError {
  const text = cause === undefined ? message : `${message}: ${describeError(cause)}`;
  return new DispatchError('InvalidConfiguration', text, { field: 'kubeconfig' });
}
