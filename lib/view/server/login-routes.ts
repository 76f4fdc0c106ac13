import type { Hono } from 'hono';
import * as z from 'zod';
import { DispatchError } from '../../core/errors.ts';
import type { Door } from './door.ts';

const text = z.string().min(1).max(4000);
const grantSchema = z.object({ code: text, verifier: text, redirect: z.url() });

/** Where people log in, for those who have no token yet. Here nothing is said of any run. */
export function routeLogin(app: Hono, { login }: Door): void {
  app.get('/api/login', async (context) => context.json({ login: (await login?.facts()) ?? null }));
  app.post('/api/login', async (context) => {
    const grant = grantSchema.safeParse(await context.req.json().catch(() => undefined));
    if (login === undefined || !grant.success) {
      throw new DispatchError('MalformedRequest', 'this needs code, verifier and redirect, where people log in');
    }
    const token = await login.token(grant.data);
    if (token !== undefined) return context.json({ token });
    return context.json({ reason: 'NotAllowed', message: 'the issuer does not take this code: log in anew' }, 401);
  });
}
