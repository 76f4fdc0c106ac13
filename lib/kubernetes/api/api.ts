/** One request to a Kubernetes API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, with every value percent-encoded by `apiPath`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, unless it is a Uint8Array or a Payload: then it is sent as it is. */
  readonly body?: unknown;
  /** Of the body; default `application/json`. */
  readonly contentType?: string;
  /** Default: JSON if it can be had. */
  readonly accept?: string;
  /** Whether sending it twice does no harm; default: for every method but POST. */
  readonly repeatable?: boolean;
  /** Milliseconds; default 10 000. */
  readonly timeout?: number;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON when the answer is JSON, else text. */
  readonly body: unknown;
  /** Seconds, from the header `Retry-After`. */
  readonly retryAfter?: number;
  /** Milliseconds since the epoch, from the header `Date`: the server's clock, to the second. */
  readonly date?: number;
}

/**
 * The Kubernetes API over one reused connection pool.
 * @throws DispatchError `ClusterUnavailable` when there is no answer. Any status is an answer.
 */
export interface KubernetesApi {
  request(request: ApiRequest): Promise<ApiResponse>;
}

/** Joins path segments, percent-encoding each: a value can never become a path of its own. */
export function apiPath(...segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
