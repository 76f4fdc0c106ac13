import type { Context, LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { DispatchError } from '../lib/core/errors.ts';
import type { HttpAnswer } from '../lib/operate/http/call.ts';
import { problemOf } from '../lib/operate/http/problem.ts';
import { answerCall } from '../lib/operate/http/routes.ts';
import type { Credentials } from './http/callers.ts';
import { httpWiring } from './http/wiring.ts';
import { lambda, log } from './telemetry.ts';

/** A Lambda function URL: operations on runs, by HTTP. */
export const handler = lambda(
  async (event: LambdaFunctionURLEvent, context: Context): Promise<LambdaFunctionURLResult> => {
    try {
      return resultOf(await answer(event, context));
    } catch (error) {
      log.error('a call failed', { error });
      return resultOf(problemOf(error));
    }
  },
);

async function answer(event: LambdaFunctionURLEvent, { awsRequestId }: Context): Promise<HttpAnswer> {
  const { callers, http } = await httpWiring();
  const { headers, requestContext, rawPath, rawQueryString, body = '', isBase64Encoded } = event;
  const caller = await callers({ iam: iamOf(requestContext), authorization: headers['authorization'] });
  if (caller === undefined) return unknownCaller();
  const call = {
    method: requestContext.http.method,
    path: rawPath,
    query: Object.fromEntries(new URLSearchParams(rawQueryString)),
    headers,
    body: isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body,
    caller,
    requestId: awsRequestId,
  };
  return answerCall(call, http);
}

/** Lambda's own word: nothing in a request can put it there. */
function iamOf(context: LambdaFunctionURLEvent['requestContext']): Credentials['iam'] {
  const { authorizer } = context as { readonly authorizer?: { readonly iam?: Credentials['iam'] | null } };
  return authorizer?.iam ?? undefined;
}

function unknownCaller(): HttpAnswer {
  const message =
    'a call needs a signature of AWS, or a bearer token of an issuer of this installation, for its audience';
  const answer = problemOf(new DispatchError('NotAllowed', message, { field: 'authorization' }), 401);
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Bearer', 'cache-control': 'no-store' } };
}

function resultOf({ status: statusCode, headers, body }: HttpAnswer): LambdaFunctionURLResult {
  return { statusCode, headers: { ...headers }, body };
}
