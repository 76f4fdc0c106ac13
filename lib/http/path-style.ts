/**
 * For clients of S3: stores that are no AWS, which the SDK reaches by these variables, have no host name for each bucket, so that it
 * stands in the path.
 */
export function pathStyle(env: Readonly<Record<string, string | undefined>>): { readonly forcePathStyle: boolean } {
  return { forcePathStyle: (env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']) !== undefined };
}
