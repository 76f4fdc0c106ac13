import { awsCode, awsStatus } from '../../../lib/core/aws-error.ts';
import { describeError, isDispatchError } from '../../../lib/core/errors.ts';
import { isRecord } from '../../../lib/core/json.ts';
import { UsageError } from './flags/usage.ts';

type Env = Readonly<Record<string, string | undefined>>;

const CREDENTIALS = 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login';
const UNKNOWN = /^(?:InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClientException)$/;
const OVER = /^(?:ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken|RequestExpired)$/;
const ELSEWHERE = /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/;

/**
 * What whoever runs the command line can do about an error of a ledger's bucket. Nothing retries here, and the identity is
 * the person's own. What is none of these stays as it is.
 */
export function withFix(error: unknown, bucket: string, env: Env): unknown {
  const root = isDispatchError(error) && error.cause !== undefined ? error.cause : error;
  const message = fixOf(root, bucket, env);
  return message === undefined ? error : new UsageError(message);
}

function fixOf(error: unknown, bucket: string, env: Env): string | undefined {
  const code = awsCode(error);
  const said = describeError(error);
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (code === 'NoSuchBucket' || code === 'InvalidBucketName') {
    const where = region === undefined ? '' : ` in the account and region ${region} of these credentials`;
    return `there is no bucket ${bucket}${where}: name the deployment's ledger with --ledger or FLINK_DISPATCH_LEDGER (the stack's output LedgerBucketName)`;
  }
  if (ELSEWHERE.test(code) || awsStatus(error) === 301) return otherRegion(error, bucket, region);
  const ofCaller = callerFix(error, env);
  if (ofCaller !== undefined) return ofCaller;
  if (awsStatus(error) !== 403) return undefined;
  return `these AWS credentials may not read s3://${bucket}: they need s3:GetObject and s3:ListBucket on it (${said})`;
}

/** The same of what has to do with no bucket: credentials, the region, the network. */
export function callerFix(error: unknown, env: Env): string | undefined {
  const code = awsCode(error);
  const said = describeError(error);
  if (/^Region is missing/.test(said)) return 'no AWS region is known: set AWS_REGION, or a region in the AWS profile';
  if (code === 'CredentialsProviderError') return `no AWS credentials are known: ${CREDENTIALS} (${said})`;
  if (OVER.test(code)) return `the AWS credentials are over or not whole: ${CREDENTIALS} (${code})`;
  if (UNKNOWN.test(code)) return `AWS does not know these credentials: ${CREDENTIALS} (${code})`;
  if (code === 'RequestTimeTooSkewed') return "this machine's clock is wrong by more than 15 minutes: set it right";
  return noAnswer(error, said, env);
}

function otherRegion(error: unknown, bucket: string, region: string | undefined): string {
  const response = isRecord(error) ? error['$response'] : undefined;
  const headers = isRecord(response) ? response['headers'] : undefined;
  const named = isRecord(headers) ? headers['x-amz-bucket-region'] : undefined;
  const own = isRecord(error) ? error['Region'] : undefined;
  const right = typeof named === 'string' ? named : typeof own === 'string' ? own : undefined;
  const fix = right === undefined ? 'set AWS_REGION to its own' : `it is in ${right}: set AWS_REGION=${right}`;
  return `the bucket ${bucket} is not in the region ${region ?? 'of the AWS profile'}; ${fix}`;
}

function noAnswer(error: unknown, said: string, env: Env): string | undefined {
  const code = isRecord(error) ? error['code'] : undefined;
  if (typeof code !== 'string' || !/^(?:E[A-Z_]+|UND_ERR\w*)$/.test(code)) return undefined;
  const endpoint = env['AWS_ENDPOINT_URL'];
  const where = endpoint === undefined ? 'AWS' : `${endpoint} (AWS_ENDPOINT_URL)`;
  return `no answer from ${where}: ${said}; is the network up${endpoint === undefined ? '' : ', and the address right'}?`;
}
