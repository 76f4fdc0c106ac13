import type { Context } from 'aws-lambda';
import { sweep, type SweepReport } from '../lib/dispatch/sweep/sweep.ts';
import { sweepWiring } from './sweep-wiring.ts';
import { lambda, metrics } from './telemetry.ts';

const MOST = 5000;
const RESERVE = 15_000;

/** Every minute: takes on what a crash left behind. */
export const handler = lambda(async (_event: unknown, context: Context): Promise<SweepReport> => {
  const { targets, sweep: deps } = await sweepWiring();
  const deadline = deps.clock.now() + Math.max(0, context.getRemainingTimeInMillis() - RESERVE);
  const report = await sweep(targets, deps, { most: MOST, deadline });
  metrics.add('LiveRuns', report.looked);
  metrics.add('OverdueRuns', report.resumed);
  metrics.add('LeakedClusters', report.leaked);
  metrics.add('UnsweptTargets', report.unswept);
  return report;
});
