/** One request to a Kubernetes API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, with every value percent-encoded by `apiPath`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Milliseconds; default 10 000. */
  readonly timeout?: number;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON when the answer is JSON, else text. */
  readonly body: unknown;
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
