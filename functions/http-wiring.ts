import { evidencePrefix } from '../lib/run/store/evidence-store.ts';
import { getText } from '../lib/run/store/s3-objects.ts';
import { createS3RunList } from '../lib/run/store/s3-run-index.ts';
import type { HttpDeps } from '../lib/operate/http/call.ts';
import { acceptDepsOf } from './accept-wiring.ts';
import { onceWired } from './base-wiring.ts';
import { callers, type Callers } from './http-callers.ts';

/** What the function behind the URL is made of: it accepts runs, and reads the ledger. */
export interface HttpWiring {
  readonly callers: Callers;
  readonly http: HttpDeps;
}

export const httpWiring: () => Promise<HttpWiring> = onceWired((base) => {
  const { config, deployment, s3 } = base;
  const ledger = { s3, bucket: config.LEDGER_BUCKET };
  const http = {
    ...acceptDepsOf(base),
    runs: createS3RunList(ledger),
    evidence: async (...[runId, attempt, name]: Parameters<HttpDeps['evidence']>) =>
      (await getText(ledger, evidencePrefix(runId, attempt) + name))?.text,
    eventContext: { source: `/flink-dispatch/${config.STAGE}`, ledgerBucket: config.LEDGER_BUCKET },
  };
  return { callers: callers(config, deployment), http };
});
