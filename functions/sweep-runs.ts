import type { Context } from 'aws-lambda';
import { sweep, type SweepReport } from '../lib/dispatch/sweep/sweep.ts';
import { sweepWiring } from './sweep-wiring.ts';
import { lambda, metrics } from './telemetry.ts';

const MOST = 5000;
const RESERVE = 15_000;
/** Minutes between two looks for rows of the index that can be moved together. */
const FOLD_EVERY = 15;

/** Every minute: takes on what a crash left behind. */
export const handler = lambda(async (_event: unknown, context: Context): Promise<SweepReport> => {
  const { targets, sweep: deps } = await sweepWiring();
  const now = deps.clock.now();
  const deadline = now + Math.max(0, context.getRemainingTimeInMillis() - RESERVE);
  const folds = Math.floor(now / 60_000) % FOLD_EVERY === 0;
  const report = await sweep(targets, deps, { most: MOST, deadline, folds });
  metrics.add('LiveRuns', report.looked);
  metrics.add('OverdueRuns', report.resumed);
  metrics.add('LeakedClusters', report.leaked);
  metrics.add('UnsweptTargets', report.unswept);
  return report;
});
