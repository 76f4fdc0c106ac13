import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { fromAwsError } from '../../../../lib/core/aws-error.ts';
import { DispatchError } from '../../../../lib/core/errors.ts';

/** The text of a secret, with the credentials of the shell. @throws DispatchError as `fromAwsError` */
export async function readSecret(arn: string): Promise<string> {
  const answer = await new SecretsManagerClient()
    .send(new GetSecretValueCommand({ SecretId: arn }))
    .catch((error: unknown) => {
      throw fromAwsError(error, { action: 'secretsmanager:GetSecretValue', resource: arn });
    });
  if (answer.SecretString !== undefined) return answer.SecretString;
  throw new DispatchError('InvalidConfiguration', `the secret ${arn} holds no text`, { field: 'access.arn' });
}
