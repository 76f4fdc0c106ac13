import type { Hono } from 'hono';
import { callerText } from '../../lib/trigger/request.ts';
import { createApp } from '../../lib/view/server/app.ts';
import { tokenDoor, type Identify } from '../../lib/view/server/door.ts';
import type { PageFiles } from '../../lib/view/server/ports.ts';
import { tokenReader } from '../http/tokens.ts';
import { readPageConfig, type PageConfig } from './config.ts';
import { oidcLogin } from './login.ts';
import { pagePorts } from './ports.ts';

/** The page as esbuild made it, which the bundle of this function has in it. */
declare const FLINK_DISPATCH_PAGE_FILES: PageFiles | undefined;

let made: Hono | undefined;

/** Once per execution environment. @throws DispatchError `InvalidConfiguration` */
export function pageApp(): Hono {
  if (made !== undefined) return made;
  const config = readPageConfig(process.env);
  const login = oidcLogin({ issuer: config.PAGE_ISSUER, clientId: config.PAGE_CLIENT });
  made = createApp(pagePorts(config), pageFiles(), tokenDoor(identifier(config), login));
  return made;
}

function identifier({ PAGE_ISSUER: issuer, PAGE_CLIENT: audience, PAGE_CLAIM: claim }: PageConfig): Identify {
  const read = tokenReader({ issuers: [issuer], audience, claims: claim === undefined ? [] : [claim.name] });
  return async (token) => {
    const caller = await read(token);
    if (caller?.kind !== 'token') return undefined;
    const isAllowed = claim === undefined || (caller.claims[claim.name] ?? []).includes(claim.value);
    return { name: callerText(caller), isAllowed };
  };
}

function pageFiles(): PageFiles {
  if (typeof FLINK_DISPATCH_PAGE_FILES !== 'undefined') return FLINK_DISPATCH_PAGE_FILES;
  // Where nothing was bundled, as in tests of the source.
  return { html: '<!doctype html><title>flink-dispatch</title>', script: '', style: '' };
}
