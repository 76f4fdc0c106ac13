import * as z from 'zod';
import { describeError, DispatchError } from '../../lib/core/errors.ts';
import type { Door } from '../../lib/view/server/door.ts';
import { discover } from '../http/discovery.ts';

type Login = NonNullable<Door['login']>;

const TIMEOUT = 5_000;
const discovery = z.object({
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
});
const answer = z.object({ id_token: z.string().max(16_000) });

/**
 * Log in with any issuer of OpenID Connect, as a public client with PKCE: nobody here has a secret. The code is redeemed by the
 * function, so that the page speaks to nobody but the function. Addresses are those that the issuer itself names.
 */
export function oidcLogin({ issuer, clientId }: { readonly issuer: string; readonly clientId: string }): Login {
  let known: Promise<z.infer<typeof discovery>> | undefined;
  const document = (): Promise<z.infer<typeof discovery>> => {
    known ??= addressesOf(issuer);
    // The next call asks again.
    known.catch(() => (known = undefined));
    return known;
  };
  return {
    async facts() {
      return { authorizationEndpoint: (await document()).authorization_endpoint, clientId, scope: 'openid' };
    },
    async token({ code, verifier, redirect }) {
      const { token_endpoint: address } = await document();
      const grant = { grant_type: 'authorization_code', code, redirect_uri: redirect, client_id: clientId };
      const body = new URLSearchParams({ ...grant, code_verifier: verifier });
      const told = await ask(address, { method: 'POST', body });
      if (told.status >= 500) throw unavailable(issuer, `${address} answered ${told.status}`);
      const parsed = answer.safeParse(await told.json().catch(() => undefined));
      return told.ok && parsed.success ? parsed.data.id_token : undefined;
    },
  };

  async function ask(address: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(address, { ...init, signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' });
    } catch (error) {
      throw unavailable(issuer, describeError(error), error);
    }
  }
}

async function addressesOf(issuer: string): Promise<z.infer<typeof discovery>> {
  try {
    return discovery.parse(await discover(issuer));
  } catch (error) {
    throw unavailable(issuer, describeError(error), error);
  }
}

function unavailable(issuer: string, why: string, cause?: unknown): DispatchError {
  return new DispatchError('StorageUnavailable', `${issuer} cannot be asked: ${why}`, { cause });
}
