import { isIP } from 'node:net';
import { DispatchError } from '../../core/errors.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import { matchesAny } from '../policy/glob.ts';
import { matchesHost } from '../policy/names.ts';
import type { Jar } from '../job.ts';

/** Who named the jar: the event of a bucket that the deployment subscribed to, or a spec. */
export type JarOrigin =
  { readonly kind: 'upload' } | { readonly kind: 'spec'; readonly trustedUri: string | undefined };

const FIELD = { field: 'job.jarURI' };
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** @throws DispatchError `InvalidSpec` */
export function parseJarUri(uri: string | undefined): Jar {
  if (uri === undefined) throw invalid('is missing: name the jar as local://, s3:// or https://');
  if (hasControl(uri)) throw invalid('holds a control character');
  const scheme = /^([a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === 's3') return parseS3(uri);
  if (scheme === 'local') return parseLocal(uri);
  if (scheme === 'https') return parseHttps(uri);
  throw invalid(
    `must begin with local://, s3:// or https://, not ${scheme === undefined ? 'a bare path' : `${scheme}:`}`,
  );
}

/** @throws DispatchError `NotAllowed` */
export function checkJarUri(jar: Jar, allow: AllowList, origin: JarOrigin): void {
  if (origin.kind === 'upload' || origin.trustedUri === jar.uri) return;
  const scheme = jar.uri.slice(0, jar.uri.indexOf(':')).toLowerCase();
  if (!allow.jarUriSchemes.some((allowed) => allowed === scheme)) {
    throw notAllowed(`the scheme ${scheme}: is not allowed (allow.jarUriSchemes)`);
  }
  if (jar.s3 !== undefined && !matchesAny(allow.jarBuckets, jar.s3.bucket)) {
    throw notAllowed(`the bucket ${jar.s3.bucket} is not allowed (allow.jarBuckets)`);
  }
  if (scheme === 'https') checkHost(new URL(jar.uri), allow);
}

function checkHost(url: URL, allow: AllowList): void {
  const address = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
  const allowed = address ? allow.jarUriHosts.includes(url.host) : matchesHost(allow.jarUriHosts, url.host);
  if (!allowed) throw notAllowed(`the host ${url.host} is not allowed (allow.jarUriHosts)`);
}

function parseS3(uri: string): Jar {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/i.exec(uri) ?? [];
  if (bucket === undefined || key === undefined || !BUCKET.test(bucket)) throw invalid('must be s3://bucket/key');
  if (Buffer.byteLength(key) > 1024) throw invalid("has a longer key than S3's 1024 bytes");
  return { uri, s3: { bucket, key } };
}

function parseLocal(uri: string): Jar {
  const path = /^local:\/\/(\/[^?#]+)$/i.exec(uri)?.[1];
  if (path === undefined) throw invalid('must be local:///absolute/path, a file of the image');
  const decoded = path.replace(/%2e/gi, '.').replace(/%2f/gi, '/');
  if (decoded.split('/').some((part) => part === '..' || part === '.'))
    throw invalid("must not hold '.' or '..' as a folder");
  return { uri };
}

function parseHttps(uri: string): Jar {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || uri.includes('\\')) throw invalid('is not a URL');
  if (url.username !== '' || url.password !== '') throw invalid('must not carry a user or a password');
  if (url.hash !== '') throw invalid("must not carry a '#'");
  // What is checked is what is fetched: the URL as the parser understood it.
  return { uri: url.href };
}

function hasControl(text: string): boolean {
  return [...text].some((char) => char < ' ' || char === '\u007f');
}

function invalid(what: string): DispatchError {
  return new DispatchError('InvalidSpec', `job.jarURI ${what}`, FIELD);
}

function notAllowed(what: string): DispatchError {
  return new DispatchError('NotAllowed', `job.jarURI: ${what}`, FIELD);
}
