import { expect, it } from 'vitest';
import { checkUrlEnd } from '../../../lib/job/jar/url-expiry.ts';

const END = Date.parse('2026-11-21T06:10:00Z');
const SIGNED = [
  'https://b.s3.amazonaws.com/a.jar?X-Amz-Date=20261121T060000Z&X-Amz-Expires=600&X-Amz-Signature=s',
  'https://storage.googleapis.com/b/a.jar?X-Goog-Date=20261121T060000Z&X-Goog-Expires=600',
  `https://d.cloudfront.net/a.jar?Expires=${END / 1000}&Signature=s`,
];

it.each(SIGNED)('%s is refused once it has ended', (uri) => {
  expect(() => checkUrlEnd(uri, END - 1)).not.toThrow();
  const expected = { reason: 'JarAccessDenied', field: 'job.jarURI' };
  expect(() => checkUrlEnd(uri, END)).toThrow(expect.objectContaining(expected));
  expect(() => checkUrlEnd(uri, END)).toThrow('2026-11-21T06:10:00.000Z');
});

it.each([
  's3://b/a.jar',
  'local:///a.jar',
  'https://h/a.jar',
  'https://h/a.jar?Expires=never&X-Amz-Date=x&X-Amz-Expires=y',
])('%s never ends', (uri) => expect(() => checkUrlEnd(uri, END)).not.toThrow());
