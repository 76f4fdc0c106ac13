import { DispatchError, describeError } from './errors.ts';
import { isRecord } from './json.ts';

/** What was asked of AWS, for the message: `s3:PutObject` on `s3://bucket/key`. */
export interface AwsCall {
  /** As IAM names it. */
  readonly action: string;
  readonly resource: string;
}

const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|LimitExceeded|OverLimit/i;
/** 403s and 400s that a later request of the same caller does not meet: signatures by a clock or token gone stale. */
const STALE = /^(RequestTimeTooSkewed|RequestExpired|ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/;
const DENIED = /AccessDenied|Forbidden|NotAuthorized|Unauthorized|AuthorizationError|InvalidAccessKeyId/i;
/** Of Node and of the SDK's own transport. */
const NO_ANSWER = /^(TimeoutError|RequestTimeout|AbortError|NetworkingError|CredentialsProviderError)$/;

/** The HTTP status of an error of the AWS SDK; `undefined` when there was no answer. */
export function awsStatus(error: unknown): number | undefined {
  if (!isRecord(error) || !isRecord(error['$metadata'])) return undefined;
  const status = error['$metadata']['httpStatusCode'];
  return typeof status === 'number' ? status : undefined;
}

/** The service's code for an error: `NoSuchKey`, `PreconditionFailed`. */
export function awsCode(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** `StorageUnavailable` when trying again may help, `PermissionDenied` naming what is missing, `Internal` otherwise. */
export function fromAwsError(error: unknown, { action, resource }: AwsCall): DispatchError {
  if (error instanceof DispatchError) return error;
  const code = awsCode(error);
  const said = `${code}: ${describeError(error)}`;
  if (isPassing(error, code)) {
    return new DispatchError('StorageUnavailable', `${action} on ${resource} did not succeed: ${said}`, {
      cause: error,
    });
  }
  if (awsStatus(error) === 403 || DENIED.test(code)) {
    const message = `not allowed: the function's role needs ${action} on ${resource} (${said})`;
    return new DispatchError('PermissionDenied', message, { cause: error });
  }
  return new DispatchError('Internal', `${action} on ${resource} was refused: ${said}`, { cause: error });
}

function isPassing(error: unknown, code: string): boolean {
  const status = awsStatus(error);
  if (STALE.test(code) || NO_ANSWER.test(code) || THROTTLED.test(code)) return true;
  if (status !== undefined) return status >= 500 || status === 429;
  return isRecord(error) && typeof error['code'] === 'string' && /^(E[A-Z]|UND_ERR)/.test(error['code']);
}
