import * as z from 'zod';
import { accept, foreseeRun } from '../../dispatch/accept.ts';
import { redactJson } from '../../core/redaction/redact.ts';
import { parseRunCall } from '../../trigger/http.ts';
import { jobView, jobViewSchema, runIdText } from '../views.ts';
import { json, type HttpAnswer, type Routed } from './call.ts';
import { flagIn, queryOf } from './query.ts';

/** What became of a request for a run. */
export const startedSchema = z.object({
  runId: runIdText
    .exactOptional()
    .describe(
      'Absent for a stream that keeps its state: its deployment starts the run, once the one before it has ended',
    ),
  result: z.enum(['accepted', 'duplicate', 'superseded']).describe('`duplicate`: the same request was here before'),
  deployment: z.object({ id: z.string(), generation: z.int().positive().exactOptional() }).exactOptional(),
});
export const foreseenSchema = z.object({
  result: z.enum(['valid', 'duplicate']),
  name: z.string(),
  job: jobViewSchema.describe('As it would run, with all defaults'),
});

/** 202 once the run is durable, 200 of a dry run, which writes nothing. @throws DispatchError for what is wrong */
export async function startRun({ call, deps }: Routed): Promise<HttpAnswer> {
  const { dryRun } = queryOf(call, ['dryRun']);
  const request = parseRunCall({ ...call, key: call.headers['idempotency-key'] });
  if (flagIn('dryRun', dryRun)) {
    const { job, isKnown } = await foreseeRun(request, deps);
    return json(200, redactJson({ result: isKnown ? 'duplicate' : 'valid', name: job.name, job: jobView(job) }));
  }
  const { runId, result, deployment } = await accept(request, deps);
  if (deployment !== undefined) return json(202, { result, deployment });
  return json(202, { runId, result }, { location: `/runs/${runId}` });
}
