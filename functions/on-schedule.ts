import { isDispatchError } from '../lib/core/errors.ts';
import { accept, type AcceptDeps, type Accepted } from '../lib/dispatch/accept.ts';
import { parseScheduleEvent } from '../lib/trigger/schedule.ts';
import type { RunRequest } from '../lib/trigger/request.ts';
import type { Context } from 'aws-lambda';
import { defined } from '../lib/core/defined.ts';
import { acceptWiring } from './accept-wiring.ts';
import { lambda } from './telemetry.ts';

/** EventBridge Scheduler: accepts the run of one scheduled time. */
export const handler = lambda(
  async (event: unknown, context: Context): Promise<Accepted | { readonly result: 'dead-letter' }> => {
    const deps = await acceptWiring();
    const request = await parse(event, context, deps);
    return request === undefined ? { result: 'dead-letter' } : accept(request, deps);
  },
);

/** arn:aws:lambda:<region>:<account>:function:<name>, and the alias by which it was called. */
function aliasIn({ invokedFunctionArn }: Context): string | undefined {
  const alias = invokedFunctionArn.split(':')[7];
  return alias === '$LATEST' ? undefined : alias;
}

async function parse(
  event: unknown,
  context: Context,
  { deadLetters, clock }: AcceptDeps,
): Promise<RunRequest | undefined> {
  try {
    return parseScheduleEvent(event, { now: clock.now(), ...defined({ calledBy: aliasIn(context) }) });
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    const { reason, message, field } = error;
    const letter = { body: JSON.stringify(event), source: 'schedule', reason, message };
    await deadLetters.put(field === undefined ? letter : { ...letter, field });
    return undefined;
  }
}
