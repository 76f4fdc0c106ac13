import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { fromAwsError } from '../core/aws-error.ts';
import { DispatchError } from '../core/errors.ts';
import type { Credentials } from './credential-types.ts';

const HOST =
  /^\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

/** The region of a registry of AWS by its host; `undefined` for any other. */
export function ecrRegion(host: string): string | undefined {
  return HOST.exec(host)?.[1];
}

/**
 * A password of twelve hours for a registry of AWS, by the function's own role.
 * @throws DispatchError `InvalidConfiguration`, or as `fromAwsError`
 */
export async function ecrPassword(host: string, region = ecrRegion(host)): Promise<Credentials> {
  if (region === undefined) {
    const message = `${host} is no host of Amazon ECR: give auth.region, or another auth.kind`;
    throw new DispatchError('InvalidConfiguration', message, { field: `registries["${host}"].auth` });
  }
  const token = await new ECRClient({ region }).send(new GetAuthorizationTokenCommand({})).then(
    ({ authorizationData }) => authorizationData?.[0]?.authorizationToken,
    (error: unknown) => {
      throw fromAwsError(error, { action: 'ecr:GetAuthorizationToken', resource: '*' });
    },
  );
  const [username, password] = Buffer.from(token ?? '', 'base64')
    .toString('utf8')
    .split(/:(.*)/s);
  if (username && password) return { kind: 'basic', username, password };
  throw new DispatchError('RegistryUnavailable', `ecr:GetAuthorizationToken gave no token for ${host}`);
}
