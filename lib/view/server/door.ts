import type { Context, MiddlewareHandler } from 'hono';
import { DispatchError } from '../../core/errors.ts';
import { isToken, ownPagesOnly, safeHeaders, TOKEN_HEADER } from './guard.ts';

/** How people who log in get a token of their own: what the page needs to know of the issuer. */
export interface LoginFacts {
  readonly authorizationEndpoint: string;
  readonly clientId: string;
  readonly scope: string;
}

/** Who may ask. */
export interface Door {
  /** Of every answer. */
  readonly headers: MiddlewareHandler;
  /** Before every answer. */
  readonly enter: MiddlewareHandler;
  /** Before every answer that says anything of runs. */
  readonly read: MiddlewareHandler;
  /** The name of a caller who may write. */
  writer(context: Context): string | undefined | Promise<string | undefined>;
  /** What whoever writes is told where nobody may, and where this caller may not. */
  readonly readOnly: string;
  readonly whoWrites: string;
  /** Where people log in, and the token that a code of the issuer stands for; absent where nobody has to. */
  readonly login?: {
    facts(): Promise<LoginFacts>;
    /** Undefined for a code that the issuer does not take. */
    token(grant: Readonly<Record<'code' | 'verifier' | 'redirect', string>>): Promise<string | undefined>;
  };
}

/** On this machine: whoever reaches the port may read, and whoever has the token may write. */
export function localDoor(token: string | undefined, user: string): Door {
  return {
    headers: safeHeaders(false),
    enter: ownPagesOnly,
    read: (_, next) => next(),
    writer: (context) => (token !== undefined && isToken(context.req.header(TOKEN_HEADER), token) ? user : undefined),
    readOnly: 'this page is read-only: start the dashboard with --allow-actions',
    whoWrites: 'a write needs the token of the address that the dashboard printed',
  };
}

const BEARER = /^bearer ([\w.-]{1,16000})$/i;

/** Who a good token is of, and whether that is one of those who may see runs; undefined for a token that is not good. */
export type Identify = (token: string) => Promise<{ readonly name: string; readonly isAllowed: boolean } | undefined>;

/**
 * At an address that all can reach: nothing of runs without a token. It comes in a header that no other site's page can send, so
 * nobody is made to write by a link.
 */
export function tokenDoor(identify: Identify, login: NonNullable<Door['login']>): Door {
  const callerOf = async (context: Context): Promise<string | undefined> => {
    const [, token] = BEARER.exec(context.req.header('authorization') ?? '') ?? [];
    const caller = token === undefined ? undefined : await identify(token);
    if (caller === undefined || caller.isAllowed) return caller?.name;
    throw new DispatchError('NotAllowed', `${caller.name} is not one of those who may see this`);
  };
  const whoWrites = 'this needs a token of the issuer of this installation: log in';
  return {
    headers: safeHeaders(true),
    enter: (_, next) => next(),
    read: async (context, next) => {
      if ((await callerOf(context)) !== undefined) return next();
      return context.json({ reason: 'NotAllowed', message: whoWrites }, 401, { 'www-authenticate': 'Bearer' });
    },
    writer: callerOf,
    readOnly: 'this page is read-only: the stack’s parameter Page=act lets it write',
    whoWrites,
    login,
  };
}
