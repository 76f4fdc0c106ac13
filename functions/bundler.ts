import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../lib/core/clock.ts';
import type { BundleDeps } from '../lib/delivery/bundle.ts';
import { keptBytes, s3BundleMemory } from '../lib/delivery/bundle-memory.ts';
import type { DispatchConfig } from '../lib/job/config/dispatch-config.ts';
import type { PinJar } from '../lib/job/jar/pin.ts';
import { createAuthorizer } from '../lib/registry/authorizer.ts';
import { createRegistry } from '../lib/registry/client.ts';
import { credentialsFrom } from '../lib/registry/credentials.ts';
import { createHttp } from '../lib/http/http.ts';
import { readSecret } from './read-secret.ts';

export interface BundlerParts {
  readonly deployment: DispatchConfig;
  readonly s3: S3Client;
  readonly ledgerBucket: string;
  readonly pin: PinJar;
  readonly clock: Clock;
}

/**
 * What one image may take. What was sent whole by then is found again by the next try, so that even slow registries get
 * there; the function's own timeout is longer.
 */
const BUDGET = 120_000;
/** A registry that neither sends nor takes a byte for so long has gone. */
const IDLE = 20_000;

/** Connections, tokens and passwords are kept while the function is warm. */
export function createBundler({ deployment, s3, ledgerBucket, pin, clock }: BundlerParts): BundleDeps {
  const http = createHttp({ idle: IDLE });
  const credentials = credentialsFrom({ readSecret });
  const authorizer = createAuthorizer({ http, credentials, now: () => clock.now() });
  return {
    registry: () =>
      createRegistry({
        hosts: deployment.registries,
        http,
        authorizer,
        clock,
        signal: AbortSignal.timeout(BUDGET),
      }),
    read: keptBytes(s3),
    pin,
    memory: s3BundleMemory(s3, ledgerBucket),
  };
}
