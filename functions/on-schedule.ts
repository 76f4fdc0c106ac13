import { isDispatchError } from '../lib/core/errors.ts';
import { accept, type AcceptDeps, type Accepted } from '../lib/dispatch/accept.ts';
import { parseScheduleEvent } from '../lib/trigger/schedule.ts';
import type { RunRequest } from '../lib/trigger/request.ts';
import { acceptWiring } from './accept-wiring.ts';
import { lambda } from './telemetry.ts';

/** EventBridge Scheduler: accepts the run of one scheduled time. */
export const handler = lambda(async (event: unknown): Promise<Accepted | { readonly result: 'dead-letter' }> => {
  const deps = await acceptWiring();
  const request = await parse(event, deps);
  return request === undefined ? { result: 'dead-letter' } : accept(request, deps);
});

async function parse(event: unknown, { deadLetters }: AcceptDeps): Promise<RunRequest | undefined> {
  try {
    return parseScheduleEvent(event);
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    const { reason, message, field } = error;
    const letter = { body: JSON.stringify(event), source: 'schedule', reason, message };
    await deadLetters.put(field === undefined ? letter : { ...letter, field });
    return undefined;
  }
}
