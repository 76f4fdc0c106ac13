import { jsonOf } from '../core/json.ts';
import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import type { Credentials, CredentialsFor } from './credential-types.ts';
import { ecrPassword } from './ecr.ts';
import { normalHost } from './reference.ts';
import type { Endpoint } from './settings.ts';

export interface CredentialsDeps {
  /** Text of a secret of AWS Secrets Manager. */
  readonly readSecret: (arn: string) => Promise<string>;
  readonly ecr?: (host: string, region: string | undefined) => Promise<Credentials>;
}

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const dockerConfig = z.looseObject({ auths: z.record(z.string(), entry) });
const plain = z.looseObject({ username: z.string().min(1), password: z.string() });

/** Credentials by the registry's settings, asked for when a registry first wants them and kept until it refuses them. */
export function credentialsFrom(deps: CredentialsDeps): CredentialsFor {
  const known = new Map<string, Promise<Credentials | undefined>>();
  return (endpoint, renew) => {
    const kept = known.get(endpoint.host);
    if (kept !== undefined && !renew) return kept;
    const asked = ask(endpoint, deps);
    known.set(endpoint.host, asked);
    asked.catch(() => known.delete(endpoint.host));
    return asked;
  };
}

async function ask({ host, settings: { auth } }: Endpoint, deps: CredentialsDeps): Promise<Credentials | undefined> {
  switch (auth.kind) {
    case 'none':
      return undefined;
    case 'ecr':
      return (deps.ecr ?? ecrPassword)(host, auth.region);
    case 'secret':
      return parseSecret(await deps.readSecret(auth.arn), host, auth.arn);
  }
}

/** @throws DispatchError `InvalidConfiguration`, without a word of the secret */
export function parseSecret(text: string, host: string, name: string): Credentials {
  const document = jsonOf(text);
  const own = plain.safeParse(document);
  if (own.success) return { kind: 'basic', username: own.data.username, password: own.data.password };
  const docker = dockerConfig.safeParse(document);
  const found = docker.success
    ? Object.entries(docker.data.auths).find(([server]) => hostOf(server) === normalHost(host))?.[1]
    : undefined;
  const credentials = found === undefined ? undefined : fromEntry(found);
  if (credentials !== undefined) return credentials;
  const message = `the secret ${name} holds no credentials for ${host}: it must be a Docker configuration with auths["${host}"], or have username and password`;
  throw new DispatchError('InvalidConfiguration', message, { field: `registries["${host}"].auth` });
}

function fromEntry({ auth, username, password, identitytoken }: z.output<typeof entry>): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== '') return { kind: 'identity', token: identitytoken };
  if (username !== undefined && password !== undefined) return { kind: 'basic', username, password };
  const [, name, secret] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString('utf8')) ?? [];
  return name === undefined || secret === undefined ? undefined : { kind: 'basic', username: name, password: secret };
}

/** Docker writes `https://index.docker.io/v1/` for its own registry and plain hosts for all others. */
function hostOf(server: string): string {
  return normalHost(server.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}
