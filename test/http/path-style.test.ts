import { expect, it } from 'vitest';
import { pathStyle } from '../../lib/http/path-style.ts';

it.each([
  [{}, false],
  [{ AWS_ENDPOINT_URL: 'https://store.example' }, true],
  [{ AWS_ENDPOINT_URL_S3: 'https://store.example' }, true],
  [{ AWS_ENDPOINT_URL_SQS: 'https://queues.example' }, false],
])('of %j buckets are named in the path: %s', (env, forcePathStyle) => {
  expect(pathStyle(env)).toEqual({ forcePathStyle });
});
