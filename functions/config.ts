import * as z from 'zod';
import { parseWith } from '../lib/core/schema.ts';

const optional = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value));

const environment = z.object({
  STAGE: z.string().min(1).default('dev'),
  LEDGER_BUCKET: z.string().min(1),
  RUN_QUEUE_URL: z.url(),
  DEAD_LETTER_QUEUE_URL: z.url(),
  EVENT_BUS_NAME: z.string().min(1),
  EVENT_QUEUE_URL: optional,
  EVENT_TOPIC_ARN: optional,
  /** How the function behind the URL knows its callers; of that function alone. */
  HTTP_API: z.enum(['iam', 'oidc']).default('iam'),
  /** Issuers of tokens, separated by commas, and what the tokens are for. */
  OIDC_ISSUERS: optional,
  OIDC_AUDIENCE: optional,
});

export type Config = z.output<typeof environment>;

/** @throws DispatchError `InvalidConfiguration`, naming the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(environment, env, 'environment', 'InvalidConfiguration');
}
