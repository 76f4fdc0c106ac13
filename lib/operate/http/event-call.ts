import * as z from 'zod';
import { accept } from '../../dispatch/accept.ts';
import { isDispatchError } from '../../core/errors.ts';
import { REASON_CODES } from '../../core/reasons.ts';
import { ruleFor } from '../../job/config/event-rule.ts';
import { deploymentOf, withTenant } from '../../job/config/tenants.ts';
import { parseEvents, requestOfEvent, type CloudEvent } from '../../trigger/cloud-event.ts';
import { runIdText } from '../views.ts';
import { json, type HttpAnswer, type Routed } from './call.ts';
import { queryOf } from './query.ts';

const resultSchema = z.object({
  id: z.string().describe('The event’s'),
  source: z.string().describe('The event’s'),
  result: z
    .enum(['accepted', 'rejected', 'duplicate', 'superseded', 'skipped', 'ignored', 'refused'])
    .describe(
      '`rejected`: a run that ended as it was asked for, with an event of its own; `ignored`: no rule takes the event; `refused`: it is a dead letter',
    ),
  runId: runIdText.exactOptional(),
  reason: z.enum(REASON_CODES).exactOptional(),
  message: z.string().exactOptional(),
});
export const deliveredSchema = z.object({ events: z.array(resultSchema) });
type Result = z.output<typeof resultSchema>;

/**
 * 202: each event is a durable run, or can be none. Whoever delivers events reads no answer, so that what is wrong with a
 * run is told as with any other source. @throws DispatchError for what is no event, or is to be delivered again
 */
export async function deliverEvents(routed: Routed): Promise<HttpAnswer> {
  const { call, deps } = routed;
  queryOf(call, []);
  const { caller, requestId } = call;
  const who = withTenant({ source: { kind: 'http', caller, requestId }, identity: '' }, deps.prepare.deployment);
  const rules = deploymentOf(who, deps.prepare.deployment).events;
  const events: Result[] = [];
  for (const event of parseEvents(call)) events.push(await deliver(event, ruleFor(event, rules), routed));
  return json(202, { events });
}

async function deliver(event: CloudEvent, rule: ReturnType<typeof ruleFor>, { call, deps }: Routed): Promise<Result> {
  const { id, source } = event;
  if (rule === undefined) return { id, source, result: 'ignored' };
  try {
    const { runId, result, deployment } = await accept(requestOfEvent(event, rule, call), deps);
    return { id, source, result, ...(deployment === undefined && { runId }) };
  } catch (error) {
    if (!isDispatchError(error) || error.retryable) throw error;
    const { reason, message, field } = error;
    const letter = { body: JSON.stringify(event), source: `CloudEvent ${id} of ${source}`, reason, message };
    await deps.deadLetters.put(field === undefined ? letter : { ...letter, field });
    return { id, source, result: 'refused', reason, message };
  }
}

const HOST = /^[\w.-]{1,253}$/;

/** The handshake of the CloudEvents webhooks: a delivery service asks whether it may send. */
export function allowEvents({ call }: Routed): HttpAnswer {
  const origin = call.headers['webhook-request-origin'] ?? '';
  const allowed = !HOST.test(origin) ? {} : { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' };
  return { status: 204, headers: { allow: 'OPTIONS, POST', ...allowed }, body: '' };
}
