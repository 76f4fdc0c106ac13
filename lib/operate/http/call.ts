import type { AcceptDeps } from '../../dispatch/accept.ts';
import type { ReadEvidence } from '../../run/store/evidence-store.ts';
import type { RunList } from '../../run/store/run-index.ts';
import type { Caller } from '../../trigger/request.ts';
import type { Scope } from '../scope.ts';

/** One call by HTTP, of a caller who is known. */
export interface HttpCall {
  readonly method: string;
  /** Begins with `/`; percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly caller: Caller;
  /** Of this call alone. */
  readonly requestId: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpDeps extends AcceptDeps {
  readonly runs: Pick<RunList, 'rows'>;
  readonly evidence: ReadEvidence;
}

/** A call whose caller's runs are known. */
export interface Routed {
  readonly call: HttpCall;
  readonly scope: Scope;
  readonly deps: HttpDeps;
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}
