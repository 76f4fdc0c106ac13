// JSON Schemas (draft-07, which editors read) of what people write: made from the schemas that the code parses with.
import * as z from 'zod';
import { deploymentSchema } from '../../lib/job/config/dispatch-config.ts';
import { jobSpecSchema } from '../../lib/job/spec/spec.ts';
import { messageEnvelope } from '../../lib/trigger/message.ts';
import { isAgain, MESSAGE_ORDERS, type MessageOrder } from '../../lib/trigger/order.ts';
import { CONFIG_FIELD_TEXTS } from './config-field-texts.ts';
import { httpApiOf } from './http-api.ts';
import { JOB_FIELD_TEXTS } from './job-field-texts.ts';

type Schema = z.core.JSONSchema.JSONSchema & Record<string, unknown>;
type Texts = Readonly<Record<string, string>>;

const DRAFT = 'http://json-schema.org/draft-07/schema#';
const JOB: Schema = { $ref: '#/definitions/job' };
const ALLOW: Schema = { $ref: '#/definitions/allow' };

/** Places of a configuration that hold what is defined once. */
const SHARED: Readonly<Record<string, Schema>> = {
  defaults: JOB,
  'targets.*.defaults': JOB,
  'rules[].spec': JOB,
  'tenants.*.defaults': JOB,
  'tenants.*.rules[].spec': JOB,
  'tenants.*.allow': ALLOW,
};

/** `*.job.yaml`, stored jobs: a job spec, or a manifest of the Flink Kubernetes operator. */
function jobFileSchema(): Schema {
  return {
    $schema: DRAFT,
    $id: 'urn:flink-dispatch:job:v1',
    title: 'flink-dispatch job spec, version 1',
    if: { required: ['apiVersion'] },
    then: manifest(),
    else: jobSchema(),
  };
}

/** `dispatch.yml`. */
function configSchema(): Schema {
  const { allow, ...properties } = inputSchema(deploymentSchema).properties ?? {};
  const schema = described({ type: 'object', properties: { ...properties, allow: ALLOW } }, CONFIG_FIELD_TEXTS);
  return {
    $schema: DRAFT,
    $id: 'urn:flink-dispatch:config:v1',
    title: 'flink-dispatch deployment configuration, version 1',
    ...schema,
    required: ['targets'],
    additionalProperties: false,
    definitions: { job: jobSchema(), allow: described(allow as Schema, CONFIG_FIELD_TEXTS, 'allow') },
  };
}

/** What is wanted of a run that is there, or was, by the word of each order. */
function orderSchema(): Schema {
  const texts: Readonly<Record<MessageOrder, string>> = {
    cancel: 'The id of a run that is to end.',
    stop: 'The id of a run of a stream that is to end so that its state is kept.',
    savepoint: 'The id of a run of a stream that is to take a savepoint and go on.',
    scale: 'The id of a run of a stream whose job is to have another parallelism.',
    rerun: 'The id of a run of which what was asked for is to run again.',
    replay: 'The id of a run that is to run again with the same bytes, image, arguments and configuration.',
  };
  const variant = (kind: MessageOrder): Schema => {
    const word = `${kind}Run`;
    const run: Schema = { description: texts[kind], type: 'string', pattern: '^[0-9a-f]{20}$' };
    const key: Schema = {
      description: 'Two messages with one key are one request.',
      type: 'string',
      ...{ minLength: 1, maxLength: 256 },
    };
    const parallelism: Schema = { description: 'In how many subtasks.', type: 'integer', minimum: 1, maximum: 32_768 };
    const beside = kind === 'scale' ? { parallelism } : isAgain(kind) ? { idempotencyKey: key } : {};
    const required = [word, ...(kind === 'scale' ? ['parallelism'] : [])];
    return { type: 'object', properties: { [word]: run, ...beside }, required, additionalProperties: false };
  };
  return { oneOf: MESSAGE_ORDERS.map(variant) };
}

/** A message to the job queue. */
function messageSchema(): Schema {
  const envelope = inputSchema(messageEnvelope);
  const { runJob, idempotencyKey, tick, tag, taskToken } = envelope.properties as Record<string, Schema>;
  const key = { ...idempotencyKey, description: 'Two messages with one key and one job are one request.' };
  const job = jobSchema();
  return {
    $schema: DRAFT,
    $id: 'urn:flink-dispatch:message:v1',
    title: 'flink-dispatch job message, version 1',
    if: { anyOf: MESSAGE_ORDERS.map((kind) => ({ required: [`${kind}Run`] })) },
    then: orderSchema(),
    else: {
      if: { required: ['apiVersion'] },
      then: manifest(),
      else: {
        if: { anyOf: [{ required: ['runJob'] }, { required: ['spec'] }] },
        then: {
          type: 'object',
          properties: {
            runJob: { ...runJob, description: 'The name of a stored job: jobs/<name>.yaml of the ledger bucket.' },
            idempotencyKey: key,
            spec: { description: 'A whole job spec, or what differs from the stored job.', allOf: [JOB] },
            tick: { ...tick, description: 'The firing of a schedule that this is, in place of an idempotency key.' },
            tag: { ...tag, description: 'By which runs are listed and canceled together.' },
            taskToken: {
              ...taskToken,
              description: 'The token of a task of Step Functions that waits for the end of the run.',
            },
          },
          additionalProperties: false,
        },
        else: { ...job, properties: { ...job.properties, idempotencyKey: key } },
      },
    },
    definitions: { job },
  };
}

function jobSchema(): Schema {
  return described(inputSchema(jobSpecSchema), JOB_FIELD_TEXTS);
}

/** The operator's resource definition says more of it than its envelope. */
function manifest(): Schema {
  return {
    type: 'object',
    required: ['apiVersion', 'kind', 'spec'],
    properties: {
      apiVersion: { const: 'flink.apache.org/v1beta1' },
      kind: { enum: ['FlinkDeployment', 'FlinkSessionJob'] },
      metadata: { type: 'object' },
      spec: { type: 'object', required: ['job'] },
    },
  };
}

function inputSchema(schema: z.ZodType): Schema {
  const { properties, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  delete rest.$schema;
  return { ...rest, ...(properties && { properties }) };
}

/** With its text at each field. @throws Error for a field that has none: it is to be written in the table */
function described(schema: Schema, texts: Texts, path = ''): Schema {
  const result: Record<string, unknown> = { ...schema };
  // Zod's own; contentEncoding, which it writes too, is the standard's.
  if (schema.format === 'base64') delete result['format'];
  const deeper = (one: unknown, at: string): Schema => SHARED[at] ?? described(one as Schema, texts, at);
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    const variants = schema[key] as Schema[] | undefined;
    if (variants !== undefined) result[key] = variants.map((variant) => deeper(variant, path));
  }
  if (isSchema(schema.additionalProperties))
    result['additionalProperties'] = deeper(schema.additionalProperties, `${path}.*`);
  if (isSchema(schema.items)) result['items'] = deeper(schema.items, `${path}[]`);
  if (schema.properties !== undefined) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, value]) => {
        const at = path === '' ? name : `${path}.${name}`;
        return [name, withText(deeper(value, at), textOf(texts, at))];
      }),
    );
  }
  return result;
}

/** Validators ignore what stands beside a reference. */
function withText(schema: Schema, description: string | undefined): Schema {
  if (description === undefined) return schema;
  return schema.$ref === undefined ? { description, ...schema } : { description, allOf: [schema] };
}

/** What a pod is made of is Kubernetes' own to describe. */
const PODS = /(^|\.)podTemplate\./;

function textOf(texts: Texts, path: string): string | undefined {
  if (PODS.test(path)) return undefined;
  const ofPool = /^sessions\.\*\.(.+)$/.exec(path)?.[1];
  const own =
    ofPool === undefined || ofPool === 'idleAfter'
      ? (texts[path] ?? texts[path.replace(/^tenants\.\*\./, '')])
      : JOB_FIELD_TEXTS[ofPool];
  const text = own ?? JOB_FIELD_TEXTS[(ofPool ?? path).replace(/^(?:job|task)Manager\./, '*.')];
  if (text === undefined) throw new Error(`${path} has no text in infra/docs/*-field-texts.ts`);
  return text;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** The OpenAPI document `http-api.v1.json`. */
export function httpApiSchema(): object {
  return httpApiOf(jobSchema(), manifest());
}

/** By file name, below docs/schemas. */
export const SCHEMAS: Readonly<Record<string, () => Schema>> = {
  'job.v1.json': jobFileSchema,
  'config.v1.json': configSchema,
  'message.v1.json': messageSchema,
};
