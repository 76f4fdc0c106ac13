/** One request to a JobManager's REST endpoint. */
export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, every value percent-encoded: `/jobs/<id>/savepoints`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, unless it is a Uint8Array or a Payload: then it is sent as it is, with `contentType`. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Milliseconds; default 10 000. */
  readonly timeout?: number;
}

export interface RestResponse {
  readonly status: number;
  /** Parsed JSON when the answer is JSON, else text. */
  readonly body: unknown;
}

/**
 * The way to a JobManager: a direct URL, or the API server's service proxy. It bounds the size of an answer.
 * @throws DispatchError `RestUnreachable` or `ClusterUnavailable` when there is no answer. Any status is an answer.
 */
export type RestTransport = (request: RestRequest) => Promise<RestResponse>;

/** Joins path segments, percent-encoding each. */
export function restPath(...segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
