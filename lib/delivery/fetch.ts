import type { TargetConfig } from '../job/deployment.ts';
import type { Deliver } from './delivery.ts';
import type { DeliveryDeps } from './create-delivery.ts';

/** Flink's JobManager fetches the jar by itself, an object of S3 with a signed URL. */
export function fetchDelivery({ urlTtl }: TargetConfig['jarDelivery'], { sign }: DeliveryDeps): Deliver {
  return async ({ jar }) => {
    const object = jar.pinned ?? jar.s3;
    return { jarUri: object === undefined ? jar.uri : await sign(object, urlTtl) };
  };
}
