import type * as z from 'zod';
import { describeError, DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import type { RestRequest, RestResponse, RestTransport } from './transport.ts';

const MAX_QUOTED = 2_000;
/** Only how the JobManager wraps its own words. */
const REST_EXCEPTION = /^org\.apache\.flink\.runtime\.rest\.(handler\.RestHandlerException|NotFoundException): /;

/** Sends a request and reads its answer through `schema`; every way to have no usable answer is a DispatchError. */
export async function call<T>(transport: RestTransport, request: RestRequest, schema: z.ZodType<T>): Promise<T> {
  const response = await send(transport, request);
  if (response.status < 200 || response.status > 299) throw refusal(request, response);
  return readAnswer(request, response.body, schema);
}

export function readAnswer<T>(request: RestRequest, body: unknown, schema: z.ZodType<T>): T {
  if (typeof body === 'string' && !schema.safeParse(body).success) {
    throw unreachable(request, `the answer is not JSON: ${quote(body)}`);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreachable(request, `unexpected answer at '${issue?.path.join('.') ?? ''}': ${issue?.message ?? ''}`);
}

export async function send(transport: RestTransport, request: RestRequest): Promise<RestResponse> {
  try {
    return await transport(request);
  } catch (error) {
    if (error instanceof DispatchError && error.class !== 'infrastructure') throw error;
    const words = error instanceof DispatchError ? error.message : describeError(error);
    throw unreachable(request, words, error);
  }
}

/**
 * What a status other than 2xx means. The JobManager's handlers answer `{errors: […]}`; a proxy in between, while it
 * has no JobManager behind it, answers with its own page or, on Kubernetes, a `Status`.
 */
export function refusal(request: RestRequest, { status, body }: RestResponse): DispatchError {
  if (isRecord(body) && body['kind'] === 'Status') return proxyRefusal(request, status, String(body['message']));
  const words = flinkErrors(body);
  if (words === undefined) return unreachable(request, `status ${status} with ${quote(body)}`);
  if (status === 503 || status === 504) return unreachable(request, `status ${status}: ${words}`);
  if (status === 404 && request.path.startsWith('/jobs/')) {
    return new DispatchError('JobNotFound', `${label(request)}: ${words}`);
  }
  if (status >= 500) return unreachable(request, `status ${status}: ${words}`);
  return new DispatchError('FlinkRefused', `${label(request)}: ${words}`);
}

function proxyRefusal(request: RestRequest, status: number, message: string): DispatchError {
  if (status === 401 || status === 403) {
    return new DispatchError('PermissionDenied', `the way to the JobManager's REST endpoint is closed: ${message}`);
  }
  return unreachable(request, `status ${status} of the API server: ${message}`);
}

/** An exception's text comes after its first line; the reader wants the line, and the causes. */
function flinkErrors(body: unknown): string | undefined {
  if (!isRecord(body) || !Array.isArray(body['errors'])) return undefined;
  const errors = body['errors'].filter((entry): entry is string => typeof entry === 'string' && entry !== '');
  const lines = errors.flatMap((error) => error.split('\n').filter((line) => line !== '' && !/^\s/.test(line)));
  return quote(lines.map((line) => line.trim().replace(REST_EXCEPTION, '')).join(' | ') || 'no reason given');
}

function unreachable(request: RestRequest, what: string, cause?: unknown): DispatchError {
  return new DispatchError('RestUnreachable', `JobManager REST ${label(request)}: ${what}`, { cause });
}

function label(request: RestRequest): string {
  return `${request.method} ${request.path}`;
}

function quote(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
