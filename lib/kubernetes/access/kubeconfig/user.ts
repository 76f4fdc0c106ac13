import { readFile } from 'node:fs/promises';
import { defined } from '../../../core/defined.ts';
import type { Headers } from '../connection.ts';
import { authProvider } from './client-node.ts';
import { runExecPlugin, type PluginCredentials, type PluginPlace } from './exec-plugin.ts';
import type { UserEntry } from './file.ts';
import { invalid } from './invalid.ts';
import { materialOf } from './server.ts';

export interface UserCredentials {
  readonly headers: Headers;
  readonly cert?: string;
  readonly key?: string;
}

export interface UserPlace extends PluginPlace {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** `user:password` of the server's URL, which counts where the user has nothing. */
  readonly basic?: string;
}

/**
 * Who a user of a kubeconfig is, by client-go's precedence: an inline or a file's token, a password or a certificate
 * first, a plugin only where there is none of them. Without any, the server sees an anonymous user.
 * @throws DispatchError `InvalidConfiguration` for what contradicts itself
 */
export function userCredentials(
  user: UserEntry,
  name: string,
  place: UserPlace,
): (renew: boolean) => Promise<UserCredentials> {
  checkUser(user, name);
  const plugin = pluginOf(user, place);
  const provider = user['auth-provider'] === undefined ? undefined : authProvider(user['auth-provider']);
  return async (renew) => {
    const material = await certificateOf(user);
    const own = (await bearerOf(user)) ?? basicOf(user);
    const known = own !== undefined || material.cert !== undefined;
    const made = known ? undefined : await plugin?.(renew);
    const authorization =
      own ??
      (made === undefined || made.token === '' ? undefined : `Bearer ${made.token}`) ??
      (known || made !== undefined ? undefined : await provider?.()) ??
      (place.basic === undefined ? undefined : `Basic ${Buffer.from(place.basic).toString('base64')}`);
    return {
      headers: { ...defined({ authorization }), ...impersonation(user) },
      ...(made !== undefined && made.cert !== '' ? { cert: made.cert, key: made.key } : material),
    };
  };
}

function checkUser(user: UserEntry, name: string): void {
  const { token = '', username = '', password = '', as: impersonated = '' } = user;
  if (token !== '' && (username !== '' || password !== ''))
    throw invalid(`user '${name}' has a token and a password: remove one of them`);
  const others =
    user['as-groups'].length > 0 || Object.keys(user['as-user-extra']).length > 0 || (user['as-uid'] ?? '') !== '';
  if (others && impersonated === '')
    throw invalid(`user '${name}' has as-groups, as-uid or as-user-extra, but no as: name the user to act as`);
  if (user.exec !== undefined && user['auth-provider'] !== undefined)
    throw invalid(`user '${name}' has exec and auth-provider: remove one of them`);
}

/** A file's token counts before an inline one, which is for when the file cannot be read. */
async function bearerOf({ token = '', tokenFile = '' }: UserEntry): Promise<string | undefined> {
  const read = tokenFile === '' ? '' : await tokenIn(tokenFile, token !== '');
  const bearer = read === '' ? token : read;
  return bearer === '' ? undefined : `Bearer ${bearer}`;
}

async function tokenIn(file: string, optional: boolean): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (optional) return '';
    throw invalid('the file of tokenFile cannot be read', error);
  }
}

function basicOf({ username = '', password = '' }: UserEntry): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function certificateOf(user: UserEntry): Promise<{ cert?: string; key?: string }> {
  const names = ['client-certificate', 'client-key'] as const;
  const read = names.map((name) => materialOf({ name, data: user[`${name}-data`], file: user[name] }));
  const [cert, key] = await Promise.all(read);
  if (cert !== undefined && key === undefined) throw invalid('client-certificate is set without client-key');
  return cert === undefined ? {} : { cert, ...defined({ key }) };
}

/** Kept until its end; `renew`, after a refusal, runs it again. */
function pluginOf({ exec }: UserEntry, place: UserPlace): ((renew: boolean) => Promise<PluginCredentials>) | undefined {
  if (exec === undefined) return undefined;
  let kept: PluginCredentials | undefined;
  return async (renew) => {
    if (renew || kept === undefined || place.now() >= (kept.until ?? Infinity)) kept = await runExecPlugin(exec, place);
    return kept;
  };
}

function impersonation(user: UserEntry): Headers {
  if (user.as === undefined || user.as === '') return {};
  const uid = user['as-uid'] ?? '';
  const extra = Object.entries(user['as-user-extra']);
  return {
    'impersonate-user': user.as,
    ...(uid === '' ? {} : { 'impersonate-uid': uid }),
    ...(user['as-groups'].length === 0 ? {} : { 'impersonate-group': user['as-groups'] }),
    ...Object.fromEntries(extra.map(([key, values]) => [`impersonate-extra-${escaped(key)}`, values])),
  };
}

/** A header's name: RFC 9110 tokens, all else and the sign itself in percent encoding. */
function escaped(key: string): string {
  const bytes = Array.from(Buffer.from(key), (byte) => {
    const char = String.fromCharCode(byte);
    return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return bytes.join('');
}
