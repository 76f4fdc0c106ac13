import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Context, LambdaFunctionURLEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, vi } from 'vitest';
import { httpApiSchema } from '../../infra/docs/schemas.ts';
import { CONTEXT, resetAws, setEnvironment } from './aws.ts';

/** Who calls where a test does not say. */
const OURS = 'arn:aws:sts::111122223333:assumed-role/payments-jobs/session';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Call {
  readonly by?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The function behind the URL, with that configuration, for the tests of a file; calls are as Lambda passes them on. */
export function openHttp(
  configuration: Readonly<Record<string, unknown>>,
): (route: string, call?: Call) => Promise<Answer> {
  let handler: (event: LambdaFunctionURLEvent, context: Context) => Promise<unknown>;
  let restore: () => void;
  let calls = 0;
  beforeAll(async () => {
    restore = setEnvironment('https://api.invalid', configuration);
    vi.resetModules();
    ({ handler } = await import('../../functions/on-http.ts'));
  });
  afterAll(() => {
    restore();
    vi.resetModules();
  });
  beforeEach(resetAws);
  return async (route, { by = OURS, body, headers = {} } = {}) => {
    calls += 1;
    const [method = '', target = ''] = route.split(' ');
    const [rawPath = '', rawQueryString = ''] = target.split('?');
    const iam = by === null ? undefined : { userArn: by };
    const event = {
      version: '2.0',
      ...{ rawPath, rawQueryString, headers },
      requestContext: { http: { method }, ...(iam && { authorizer: { iam } }) },
      isBase64Encoded: true,
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? '')).toString('base64'),
    } as unknown as LambdaFunctionURLEvent;
    const answer = (await handler(event, { ...CONTEXT, awsRequestId: `call-${calls}` })) as {
      statusCode: number;
      headers: Record<string, string>;
      body: string;
    };
    const isJson = answer.headers['content-type']?.includes('json') === true;
    const content: unknown = isJson ? JSON.parse(answer.body) : answer.body;
    expect(answer.headers['cache-control']).toBe('no-store');
    conforms(method, rawPath, answer.statusCode, content);
    return { status: answer.statusCode, headers: answer.headers, body: content };
  };
}

const DOCUMENT = httpApiSchema() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { responses: Record<string, Described> }>>>>;
};
interface Described {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema({ $id: 'api', ...DOCUMENT });

/** What is answered is what the OpenAPI document says of it. */
function conforms(method: string, path: string, status: number, content: unknown): void {
  const form = path.replace(/^\/runs\/[^/]+/, '/runs/{runId}');
  const responses = DOCUMENT.paths[form]?.[method.toLowerCase()]?.responses;
  const described = responses?.[String(status)] ?? responses?.['default'];
  const [media] = Object.values(described?.content ?? {});
  if (media === undefined) return;
  const schema = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"api#/')) as object;
  const validate = ajv.compile(schema);
  validate(content);
  expect(validate.errors ?? [], `${method} ${path} ${status}`).toEqual([]);
}
