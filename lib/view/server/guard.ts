import { timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { sha256Hex } from '../../core/ids.ts';

export const TOKEN_HEADER = 'x-flink-dispatch-token';

const NONE = ["'none'"];
const SELF = ["'self'"];

/** No script, style, font or request of any other origin, and none that stands in the page. */
export function safeHeaders(isTls: boolean): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      connectSrc: SELF,
      imgSrc: ["'self'", 'data:'],
      baseUri: NONE,
      formAction: NONE,
      frameAncestors: NONE,
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: NONE,
    },
    referrerPolicy: 'no-referrer',
    xFrameOptions: 'DENY',
    // The dashboard of the command line is spoken to without TLS, on its own machine alone.
    strictTransportSecurity: isTls,
  });
}

/**
 * Lets a page of this address alone through. A name of another site may be made to mean 127.0.0.1 (DNS rebinding), and any
 * page may send requests here: both say so in headers that no page can change.
 */
export const ownPagesOnly: MiddlewareHandler = async (context, next) => {
  const host = context.req.header('host');
  const origin = context.req.header('origin');
  const site = context.req.header('sec-fetch-site');
  const isOwn =
    isLoopback(host) &&
    (origin === undefined || origin === `http://${host ?? ''}`) &&
    (site === undefined || site === 'same-origin' || site === 'none');
  if (!isOwn) return context.json({ reason: 'NotAllowed', message: 'this address serves pages of its own only' }, 403);
  return next();
};

/** Whether a Host header names this machine by its loopback address. */
export function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '');
}

/** Hashes are of one length, and compared in constant time. */
export function isToken(given: string | undefined, token: string): boolean {
  return given !== undefined && timingSafeEqual(Buffer.from(sha256Hex(given)), Buffer.from(sha256Hex(token)));
}
