import type { Context, LambdaFunctionURLEvent } from 'aws-lambda';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { pageApp } from './page/app.ts';
import { lambda } from './telemetry.ts';

/** A Lambda function URL: the page, for people who log in. */
export const handler = lambda((event: LambdaFunctionURLEvent, context: Context) =>
  handle(pageApp())(event as unknown as LambdaEvent, context as unknown as LambdaContext),
);
