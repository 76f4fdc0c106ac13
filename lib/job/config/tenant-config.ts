import * as z from 'zod';
import { jobSpecSchema } from '../spec/spec.ts';
import { allowList } from './allow-list.ts';
import { eventRule } from './event-rule.ts';
import { namespace, targetName } from './names.ts';
import { rule } from './rule-config.ts';

/** It begins keys in the ledger, and names what AWS has of the tenant. */
export const tenantName = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/, 'must be at most 32 lower-case letters, digits and hyphens');

/** Where requests come from, by what AWS itself says of it: nothing in a request can change that. */
const source = z
  .strictObject({
    /** Uploads into this bucket. */
    bucket: z.string().min(3).max(63).optional(),
    /** Of them those whose keys begin so. It ends with `/`, so that `a/` is not `ab/`. */
    prefix: z
      .string()
      .regex(/^([^/]+\/)+$/, 'must be folders, each with its /')
      .optional(),
    /** The ARN of an SQS queue of job messages. */
    queue: z
      .string()
      .regex(/^arn:[^:]+:sqs:[^:]+:[^:]+:[^:]+$/, "must be an SQS queue's ARN")
      .optional(),
    /** A schedule group, which has the role and the alias of the function that bear its name. */
    scheduleGroup: z
      .string()
      .regex(/^(?!\d+$)[A-Za-z0-9_-]{1,64}$/, 'must be letters, digits, hyphens and underscores')
      .optional(),
    /** The ARN of an IAM role or user that calls by HTTP. */
    principal: z
      .string()
      .regex(/^arn:[^:]+:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/, 'must be the ARN of an IAM role or user')
      .optional(),
    /** Who calls by HTTP with a token of this issuer in which this claim has this value, or has it in its list. */
    token: z
      .strictObject({
        issuer: z.url({ protocol: /^https$/, error: 'must be an https URL' }),
        claim: z.string().min(1).max(256),
        value: z.string().min(1).max(1024),
      })
      .optional(),
  })
  .refine(
    ({ bucket, queue, scheduleGroup, principal, token }) =>
      [bucket, queue, scheduleGroup, principal, token].filter((it) => it !== undefined).length === 1,
    'must be one of: a bucket (with or without a prefix), a queue, a scheduleGroup, a principal, a token',
  )
  .refine(({ bucket, prefix }) => prefix === undefined || bucket !== undefined, 'must name the bucket of its prefix');

/** A group of people who share runs, and nothing with others. */
export const tenant = z.strictObject({
  sources: z.array(source).min(1),
  /** Namespaces by target; the first is where a run goes that names none. No other tenant has them. */
  targets: z
    .record(targetName, z.array(namespace).min(1))
    .refine((targets) => Object.keys(targets).length > 0, 'must have a target'),
  /** Over those of the deployment. */
  defaults: jobSpecSchema.prefault({}),
  /** After those of the deployment. */
  rules: z.array(rule).default([]),
  events: z.array(eventRule).default([]),
  allow: allowList.prefault({}),
  quotas: z
    .strictObject({
      /** Runs that are not closed. */
      liveRuns: z.int().positive().max(1000).optional(),
    })
    .prefault({}),
});

export type TenantConfig = z.output<typeof tenant>;
export type TenantSource = TenantConfig['sources'][number];

/** A session of a role says the role's name, and not its path. No two roles of an account have one name. */
export function withoutPath(principal: string): string {
  return principal.replace(/:role\/.*\//, ':role/');
}
