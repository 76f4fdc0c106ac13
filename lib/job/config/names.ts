import * as z from 'zod';

export const namespace = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace: lower-case letters, digits and hyphens');

/** A target's name in the deployment's configuration. */
export const targetName = z.string().regex(/^[A-Za-z0-9._-]{1,63}$/);
