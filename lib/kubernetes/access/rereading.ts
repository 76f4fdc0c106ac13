import type { Duration, Instant } from '../../core/clock.ts';
import { describeError, DispatchError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';

/** Requests that are refused side by side read the source once. */
const AT_MOST_EVERY: Duration = 2_000;

/** Where the description of a connection is. */
export interface ConnectionSource {
  readonly text: () => Promise<string>;
  /** The connection that this text describes. */
  readonly open: (text: string) => Promise<Connection>;
}

export interface RereadingOptions {
  readonly now: () => Instant;
  /** After which what was read is read again. */
  readonly maxAge: Duration;
}

/**
 * A connection whose description may be replaced while a function is warm: a kubeconfig in a file or a secret. It is read
 * again by age, and when the API server refused its credentials; one that says the same keeps its connection, and with it
 * the token of a credential plugin. While it cannot be read, what was read last is used until that is refused.
 * @throws what the source throws, at the first time; then `DispatchError` `ClusterUnavailable`.
 */
export async function rereading({ text, open }: ConnectionSource, options: RereadingOptions): Promise<Connection> {
  const { now, maxAge } = options;
  let said = await text();
  let current = await open(said);
  let readAt = now();
  let reading: Promise<void> | undefined;

  const renew = async (): Promise<void> => {
    const again = await text();
    if (again !== said) current = await open(again);
    said = again;
    readAt = now();
  };
  const readAgain = (): Promise<void> => {
    reading ??= renew().finally(() => (reading = undefined));
    return reading;
  };

  return {
    get server() {
      return current.server;
    },
    async credentials(refused) {
      const age = now() - readAt;
      if (refused && age >= AT_MOST_EVERY) await readAgain().catch(unreadable);
      else if (age >= maxAge) await readAgain().catch(() => undefined);
      return current.credentials(refused);
    },
  };
}

function unreadable(error: unknown): never {
  const message = `the API server refused the credentials, and they cannot be read again: ${describeError(error)}`;
  throw new DispatchError('ClusterUnavailable', message, { cause: error });
}
