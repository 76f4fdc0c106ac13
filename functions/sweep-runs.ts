import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { sweep, type SweepReport } from '../lib/dispatch/sweep.ts';
import { wiring } from './wiring.ts';

const MOST = 5000;
const RESERVE = 15_000;

/** Every minute: takes on what a crash left behind. */
export const handler = middy(async (_event: unknown, context: Context): Promise<SweepReport> => {
  const { deployment, dispatch } = await wiring();
  const deadline = dispatch.clock.now() + Math.max(0, context.getRemainingTimeInMillis() - RESERVE);
  return sweep(Object.keys(deployment.targets), dispatch, { most: MOST, deadline });
});
