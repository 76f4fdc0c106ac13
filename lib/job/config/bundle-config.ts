import * as z from 'zod';
import { isInnerPath } from '../../core/inner-path.ts';

const text = z.string().min(1);
const host = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/,
    'must be a host, with a port if need be',
  );

const repository = z
  .string()
  .regex(
    /^[a-z0-9[\]:.-]*[.:\]][a-z0-9[\]:.-]*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+$|^localhost(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+$/,
    'must be a repository with its host and without a tag: 123456789012.dkr.ecr.us-east-1.amazonaws.com/flink-jobs',
  );

const platform = z.string().regex(/^linux\/[a-z0-9]+(?:\/[a-z0-9]+)?$/, 'must be a platform: linux/amd64');

const file = z.strictObject({
  from: z.string().regex(/^s3:\/\/[^/]+\/.+$/, 'must be s3://bucket/key'),
  to: z.string().refine(isInnerPath, "must be a path below Flink's home, such as lib/connector.jar"),
});

/** A layer with the jar is added to the job's image in a registry; the pods run that image. */
export const bundleDelivery = z.strictObject({
  kind: z.literal('bundle'),
  /** Where the images go. */
  repository,
  /** Of which the image is made; default: all of Linux that the job's image has. */
  platforms: z.array(platform).min(1).optional(),
  /** What every job's image gets beside: jars for `lib`, plugins, files of configuration. */
  files: z.array(file).default([]),
});

const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('ecr'), region: text.optional() }),
  z.strictObject({ kind: z.literal('secret'), arn: text }),
]);

/** The registries that functions may talk to, by host: those of the jobs' images and of bundled ones. */
export const registries = z
  .record(
    host,
    z.strictObject({
      auth: auth.prefault({ kind: 'none' }),
      /** Plain HTTP. */
      insecure: z.boolean().default(false),
      /** Hosts beside the registry's own that make its tokens. */
      tokenHosts: z.array(host).default([]),
    }),
  )
  .default({});
