import * as z from 'zod';
import { REASON_CODES } from '../core/reasons.ts';
import { DEPLOYMENT_EVENTS, type DeploymentEventType } from '../deployment/event.ts';

type EventName = `io.flink-dispatch.deployment.${DeploymentEventType}.v1`;

/** Version 1 of the public events of deployments: fields may be added. */
const EVENT_TYPES = DEPLOYMENT_EVENTS.map((type): EventName => `io.flink-dispatch.deployment.${type}.v1`);

const time = z.iso.datetime().describe('UTC, milliseconds');

const snapshot = z.object({
  kind: z.enum(['savepoint', 'checkpoint']),
  path: z.string().describe("The directory that holds its _metadata, in Flink's own notation"),
  format: z.enum(['CANONICAL', 'NATIVE']).exactOptional(),
  checkpointId: z.int().exactOptional(),
  runId: z.string().exactOptional().describe('Whose job took it'),
  at: time.exactOptional().describe('When it was complete'),
  bytes: z.int().nonnegative().exactOptional(),
});

const data = z.object({
  deploymentId: z.string(),
  tenant: z.string().exactOptional().describe('Whose it is; absent in a deployment without tenants'),
  name: z.string().describe("The job's name"),
  target: z.string(),
  namespace: z.string(),
  sequence: z.int().positive().describe('From 1, without gaps, in the order of what happened to the deployment'),
  state: z.enum(DEPLOYMENT_EVENTS).describe('What happened'),
  generation: z.int().positive().describe('The version of the job that it is about'),
  runId: z.string().exactOptional(),
  snapshot: snapshot
    .exactOptional()
    .describe('What the run started from; of snapshot, the one that is complete; of suspended, the newest'),
  reason: z.enum(REASON_CODES).exactOptional(),
  reasonClass: z.enum(['none', 'user', 'infrastructure', 'capacity', 'internal']).exactOptional(),
  message: z.string().exactOptional().describe('The cause in one sentence'),
  todo: z.string().exactOptional(),
  choices: z.array(z.string()).exactOptional().describe('What can be done, each by itself'),
  record: z.string().describe('s3:// URI of the record'),
});

/** A CloudEvents 1.0 event in structured JSON form. */
export const deploymentEventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().describe('<deploymentId>.<sequence>: equal for all deliveries of the same event'),
  source: z.string().describe('/flink-dispatch/<stage>'),
  type: z.enum(EVENT_TYPES),
  subject: z.string().describe('The deployment id'),
  time,
  datacontenttype: z.literal('application/json'),
  data,
});

export type PublicDeploymentEvent = z.infer<typeof deploymentEventSchema>;

/** What docs/schemas/deployment-event.v1.json holds. */
export function deploymentEventJsonSchema(): object {
  const schema = z.toJSONSchema(deploymentEventSchema, { io: 'input', target: 'draft-7' });
  return {
    $id: 'urn:flink-dispatch:deployment-event:v1',
    title: 'flink-dispatch deployment event, version 1',
    ...schema,
  };
}
