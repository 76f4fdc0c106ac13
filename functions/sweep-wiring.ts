import { NO_TASKS } from '../lib/outcome/task-callbacks.ts';
import type { SweepDeps } from '../lib/dispatch/sweep/sweep-deps.ts';
import { createS3LiveRuns, createS3SweepPlaces } from '../lib/run/store/s3-live-runs.ts';
import { createS3RunIndex } from '../lib/run/store/s3-run-index.ts';
import { createS3SessionLeases } from '../lib/run/store/s3-session-leases.ts';
import { onceWired } from './base-wiring.ts';
import { createTargets } from './targets.ts';

/** What the sweeper is made of, and the names of all targets. */
export interface SweepWiring {
  readonly targets: readonly string[];
  readonly sweep: SweepDeps;
}

export const sweepWiring: () => Promise<SweepWiring> = onceWired(
  ({ config, deployment, s3, common }) => ({
    targets: Object.keys(deployment.targets),
    sweep: {
      ...common,
      callbacks: NO_TASKS,
      targets: createTargets(deployment, s3),
      live: createS3LiveRuns({ s3, bucket: config.LEDGER_BUCKET }),
      index: createS3RunIndex({ s3, bucket: config.LEDGER_BUCKET }),
      leases: createS3SessionLeases({ s3, bucket: config.LEDGER_BUCKET }),
      cursors: createS3SweepPlaces({ s3, bucket: config.LEDGER_BUCKET }),
    },
  }),
  { keepsLastGood: true },
);
