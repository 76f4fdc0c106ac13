import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DispatchError } from '../lib/core/errors.ts';

/** The text of a secret of Secrets Manager. Imported for good: of what is imported when needed, esbuild keeps every command. */
export async function readSecret(arn: string): Promise<string> {
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: arn }));
  if (SecretString !== undefined) return SecretString;
  throw new DispatchError('InvalidConfiguration', `the secret ${arn} holds no text`, { field: 'access.arn' });
}
