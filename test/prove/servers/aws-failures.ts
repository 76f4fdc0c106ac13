import type { FaultKind } from '../faults.ts';

/** What can go wrong with a request that a service carries out at once. A draw goes by their order. */
export const REQUEST_FAULTS: readonly FaultKind[] = [
  'refused',
  'throttled',
  'lost',
  'late',
  'resent',
  'slow',
  'crash-before',
  'crash-after',
];

interface Told {
  readonly name: string;
  readonly $fault: 'server' | 'client';
  readonly $metadata: { readonly httpStatusCode: number };
  readonly message: string;
}

/** Makes errors of a service by their name and HTTP status, as its client throws them. */
export function failuresOf<E extends Error>(
  Exception: new (told: Told) => E,
  $fault: Told['$fault'] = 'server',
): (name: string, status: number) => E {
  return (name, httpStatusCode) => new Exception({ name, $fault, $metadata: { httpStatusCode }, message: name });
}

/** What a client throws whose service said nothing. */
export function noAnswer(): Error {
  return Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });
}
