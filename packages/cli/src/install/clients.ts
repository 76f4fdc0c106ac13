import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Clock } from '../../../../lib/core/clock.ts';
import { pathStyle } from '../../../../lib/http/path-style.ts';
import { awsCode } from '../../../../lib/core/aws-error.ts';
import { describeError } from '../../../../lib/core/errors.ts';
import { callerFix } from '../aws-fix.ts';
import { UsageError } from '../flags/usage.ts';
import type { Io } from '../terminal/io.ts';

/** What it takes to change a stack. */
export interface InstallClients {
  readonly cloudFormation: CloudFormationClient;
  readonly s3: S3Client;
  readonly sts: STSClient;
  /** Of a server that stands for AWS. */
  readonly endpoint: string | undefined;
  readonly env: Io['env'];
  readonly clock: Clock;
}

export function openClients(io: Io): InstallClients {
  const endpoint = io.env['AWS_ENDPOINT_URL'];
  return {
    cloudFormation: new CloudFormationClient(),
    s3: new S3Client(pathStyle(io.env)),
    sts: new STSClient(),
    endpoint,
    env: io.env,
    clock: io.clock,
  };
}

/** The answer of AWS. @throws UsageError that says what was asked for, and why it was not given. */
export async function asked<T>(what: string, call: Promise<T>, env: Io['env']): Promise<T> {
  return call.catch((error: unknown) => {
    if (error instanceof UsageError) throw error;
    const said = callerFix(error, env) ?? `${what} did not succeed: ${awsCode(error)}: ${describeError(error)}`;
    throw new UsageError(said);
  });
}

export async function accountOf({ sts, env }: Pick<InstallClients, 'sts' | 'env'>): Promise<string> {
  const { Account } = await asked('sts:GetCallerIdentity', sts.send(new GetCallerIdentityCommand({})), env);
  if (Account === undefined) throw new UsageError('AWS does not say which account these credentials are of');
  return Account;
}
