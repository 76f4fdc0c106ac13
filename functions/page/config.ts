import * as z from 'zod';
import { DispatchError } from '../../lib/core/errors.ts';
import { parseWith } from '../../lib/core/schema.ts';

/** `groups=flink-people`: what has to stand in a token, beside being good. */
const claim = z
  .string()
  .default('')
  .transform((text, context) => {
    if (text === '') return undefined;
    const [, name, value] = /^([^=\s]+)=(.+)$/.exec(text) ?? [];
    if (name !== undefined && value !== undefined) return { name, value };
    context.addIssue({
      code: 'custom',
      message: `must be a claim and its value, groups=flink-people, and not '${text}'`,
    });
    return z.NEVER;
  });

const environment = z.object({
  LEDGER_BUCKET: z.string().min(1),
  RUN_QUEUE_URL: z.url(),
  MESSAGE_QUEUE_URL: z.url(),
  SCHEDULE_GROUP: z.string().min(1),
  PAGE: z.enum(['read', 'act']).default('read'),
  PAGE_ISSUER: z.url(),
  PAGE_CLIENT: z.string().min(1),
  PAGE_CLAIM: claim,
});

export type PageConfig = z.output<typeof environment>;

/** @throws DispatchError `InvalidConfiguration`, naming the variable: without an issuer nobody could be known */
export function readPageConfig(env: Readonly<Record<string, string | undefined>>): PageConfig {
  const config = parseWith(environment, env, 'environment', 'InvalidConfiguration');
  if (config.PAGE === 'act' && config.PAGE_CLAIM === undefined) {
    const message = 'PAGE_CLAIM must say who may order: with PAGE act all whom the issuer knows could, for all tenants';
    throw new DispatchError('InvalidConfiguration', message, { field: 'PAGE_CLAIM' });
  }
  return config;
}
