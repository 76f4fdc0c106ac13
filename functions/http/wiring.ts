import { createS3EvidenceReader } from '../../lib/run/store/s3-evidence-store.ts';
import { createS3RunList } from '../../lib/run/store/s3-run-index.ts';
import type { HttpDeps } from '../../lib/operate/http/call.ts';
import { acceptDepsOf } from '../accept-wiring.ts';
import { onceWired } from '../base-wiring.ts';
import { callers, type Callers } from './callers.ts';
import { taskCallbacks } from '../task-callbacks.ts';

/** What the function behind the URL is made of: it accepts runs, and reads the ledger. */
export interface HttpWiring {
  readonly callers: Callers;
  readonly http: HttpDeps;
}

export const httpWiring: () => Promise<HttpWiring> = onceWired((base) => {
  const { config, deployment, s3 } = base;
  const ledger = { s3, bucket: config.LEDGER_BUCKET };
  const http = {
    ...acceptDepsOf(base, taskCallbacks()),
    runs: createS3RunList(ledger),
    evidence: createS3EvidenceReader(ledger),
  };
  return { callers: callers(config, deployment), http };
});
