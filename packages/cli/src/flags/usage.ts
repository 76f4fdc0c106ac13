import { hideInUrls } from '../../../../lib/core/redaction/redact.ts';

/** What the caller got wrong on the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(hideInUrls(message));
  }
}
