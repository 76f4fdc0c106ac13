// The OpenAPI document of operations by HTTP: its schemas are made from those that the code answers with.
import * as z from 'zod';
import { orderedSchema } from '../../lib/operate/http/order-calls.ts';
import { deliveredSchema } from '../../lib/operate/http/event-call.ts';
import { problemSchema } from '../../lib/operate/http/problem.ts';
import { ROUTES } from '../../lib/operate/http/routes.ts';
import { foreseenSchema, startedSchema } from '../../lib/operate/http/start-call.ts';
import { rowViewSchema, runViewSchema } from '../../lib/operate/views.ts';
import { eventJsonSchema } from '../../lib/outcome/schema.ts';

type Schema = Record<string, unknown>;

interface Operation {
  readonly summary: string;
  readonly description?: string;
  /** Query parameters, and what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Schema;
  readonly answers: Readonly<Record<number, readonly [text: string, content: Schema]>>;
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const asJson = (name: string): Schema => ({ 'application/json': { schema: ref(name) } });
const ORDERED = {
  202: ['It is asked, and carried out at the next look at the run.', asJson('Ordered')],
  200: ['It has ended before: nothing is asked of it.', asJson('Ordered')],
} as const;
const ONCE = 'The same again is no error. Of an Idempotency-Key one order is made, of whatever it is asked.';

const AGAIN = 'With the same Idempotency-Key it is the same run.';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /runs': {
    summary: 'Starts a run.',
    description:
      'What is wrong is answered before anything is written. With the header Idempotency-Key, or idempotencyKey in the body, the same request again is the same run.',
    query: { dryRun: '`true`: judges the request, and writes nothing.' },
    body: { 'application/json': { schema: ref('Request') }, 'application/yaml': { schema: ref('Request') } },
    answers: {
      202: ['The run is durable, and starts.', asJson('Started')],
      200: ['Of a dry run: the job that would run.', asJson('Foreseen')],
    },
  },
  'GET /runs': {
    summary: 'Lists runs of the caller’s tenant, the newest first.',
    query: {
      state: 'States, separated by commas; `live` and `ended` stand for several.',
      reason: 'Reasons, separated by commas.',
      name: 'The job’s name; `*` stands for anything.',
      tenant: 'The tenant’s name.',
      trigger: 'Triggers, separated by commas.',
      tag: 'The tag, as of a backfill.',
      since: 'Accepted since: `2h`, a day, or a time with its zone.',
      limit: 'At most so many, at most 2000. Default: 50.',
    },
    answers: { 200: ['The runs.', asJson('RunList')] },
  },
  'GET /runs/{runId}': {
    summary: 'Shows a run, or waits for its outcome.',
    query: { wait: 'Answers when it has its outcome, or after so long: at most `25s`.' },
    answers: { 200: ['The run, as it stands.', asJson('Run')] },
  },
  'DELETE /runs/{runId}': { summary: 'Cancels a run.', description: ONCE, answers: ORDERED },
  'POST /runs/{runId}/stop': {
    summary: 'Stops a run of a stream so that its state is kept.',
    description: ONCE,
    answers: ORDERED,
  },
  'POST /runs/{runId}/savepoint': {
    summary: 'Lets a run of a stream take a savepoint and go on.',
    description: ONCE,
    answers: ORDERED,
  },
  'POST /runs/{runId}/rerun': {
    summary: 'Makes a new run of what was asked for then, with today’s stored job, jar and defaults.',
    description: AGAIN,
    answers: { 202: ['The new run is durable, and starts.', asJson('Started')] },
  },
  'POST /runs/{runId}/replay': {
    summary: 'Makes a new run of the same job: the bytes of its jar, its image, arguments and configuration.',
    description: `${AGAIN} It is refused where one of them is gone.`,
    answers: { 202: ['The new run is durable, and starts.', asJson('Started')] },
  },
  'GET /runs/{runId}/events': {
    summary: 'Lists the lifecycle events of a run.',
    query: { after: 'Leaves out those up to this sequence.' },
    answers: {
      200: [
        'As CloudEvents, in the order of their sequence.',
        { 'application/cloudevents-batch+json': { schema: { type: 'array', items: ref('Event') } } },
      ],
    },
  },
  'GET /runs/{runId}/logs': {
    summary: 'Reads logs of a run, as they were kept last.',
    query: {
      attempt: 'Its number. Default: the last one.',
      pod: 'The pod’s name. Default: the JobManager’s.',
      taskmanagers: '`true`: those of the TaskManagers.',
      previous: '`true`: of the containers before those that run.',
      tail: 'The last so many lines.',
    },
    answers: { 200: ['The log.', { 'text/plain': { schema: { type: 'string' } } }] },
  },
  'POST /events': {
    summary: 'Takes CloudEvents, and starts the stored job of the first rule that each one matches.',
    description:
      'An event that comes again is the same run. What no rule takes is ignored; what is wrong with a run is told by its outcome.',
    body: {
      'application/cloudevents+json': { schema: ref('CloudEvent') },
      'application/cloudevents-batch+json': { schema: { type: 'array', items: ref('CloudEvent'), maxItems: 100 } },
      'application/json': { schema: { description: 'The data of an event whose attributes are in ce- headers.' } },
    },
    answers: { 202: ['What became of each, in their order.', asJson('Delivered')] },
  },
  'OPTIONS /events': {
    summary: 'Lets a service that delivers events ask whether it may (CloudEvents, HTTP 1.1 web hooks).',
    answers: { 204: ['It may: WebHook-Allowed-Origin and WebHook-Allowed-Rate say so.', {}] },
  },
};

const PROBLEM = { description: 'What is wrong.', content: { 'application/problem+json': { schema: ref('Problem') } } };

/** @throws Error for a route that has no text here, and for a text of none */
export function httpApiOf(job: Schema, manifest: Schema): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const { method, path } of ROUTES) {
    const operation = OPERATIONS[`${method} ${path}`];
    if (operation === undefined) throw new Error(`${method} ${path} has no text in infra/docs/http-api.ts`);
    (paths[path] ??= {})[method.toLowerCase()] = operationOf(operation, path);
  }
  if (Object.keys(OPERATIONS).length !== ROUTES.length) throw new Error('infra/docs/http-api.ts describes no route');
  return {
    openapi: '3.1.0',
    info: { title: 'flink-dispatch', version: '1', description: 'Operations on runs, by HTTP.' },
    paths,
    components: { schemas: schemas(job, manifest) },
  };
}

function operationOf({ summary, description, query = {}, body, answers }: Operation, path: string): Schema {
  const ofPath = path.includes('{runId}')
    ? [{ name: 'runId', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9a-f]{20}$' } }]
    : [];
  const ofQuery = Object.entries(query).map(([name, text]) => {
    return { name, in: 'query', description: text, schema: { type: 'string' } };
  });
  const responses = Object.entries(answers).map(([status, [text, content]]) => {
    return [status, { description: text, content }] as const;
  });
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...ofPath, ...ofQuery],
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: { ...Object.fromEntries(responses), default: PROBLEM },
  };
}

function schemas(job: Schema, manifest: Schema): Record<string, Schema> {
  const list = z.object({ runs: z.array(rowViewSchema) });
  return {
    CloudEvent: {
      type: 'object',
      description: 'CloudEvents 1.0; other attributes are left alone.',
      properties: {
        specversion: { const: '1.0' },
        ...Object.fromEntries(['id', 'source', 'type', 'subject'].map((attribute) => [attribute, { type: 'string' }])),
        data: {},
      },
      required: ['specversion', 'id', 'source', 'type'],
    },
    Request: { anyOf: [ref('Job'), ref('Manifest'), ref('StoredJob')] },
    Job: job,
    Manifest: manifest,
    StoredJob: {
      type: 'object',
      properties: {
        runJob: { type: 'string', description: 'The name of a stored job.' },
        spec: { description: 'A whole job spec, or what differs from the stored job.', allOf: [ref('Job')] },
        idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
        tag: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,40}$' },
        taskToken: { type: 'string', minLength: 1, maxLength: 2048 },
      },
      additionalProperties: false,
    },
    Started: answer(startedSchema),
    Foreseen: answer(foreseenSchema),
    Ordered: answer(orderedSchema),
    Delivered: answer(deliveredSchema),
    Run: answer(runViewSchema),
    RunList: answer(list),
    Event: withoutId(eventJsonSchema() as Schema),
    Problem: answer(problemSchema),
  };
}

function answer(schema: z.ZodType): Schema {
  return withoutId(z.toJSONSchema(schema, { io: 'output' }));
}

/** Schemas of OpenAPI 3.1 are of the draft that it names. */
function withoutId(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}
