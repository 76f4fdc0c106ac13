import type { S3Client } from '@aws-sdk/client-s3';
import { createClusters } from '../lib/cluster/clusters.ts';
import { connect } from '../lib/cluster/connect.ts';
import { createKubernetesApi } from '../lib/cluster/https-api.ts';
import { createRestTransport } from '../lib/cluster/rest-access.ts';
import { DispatchError } from '../lib/core/errors.ts';
import type { Target, Targets } from '../lib/dispatch/targets.ts';
import { createClusterInspection } from '../lib/flink/rest/inspection.ts';
import { createJars } from '../lib/flink/rest/jars.ts';
import { createJobManager } from '../lib/flink/rest/job-manager.ts';
import { namespacesOf, type Deployment, type TargetConfig } from '../lib/job/deployment.ts';
import { readSecret } from './read-secret.ts';

/** Targets of the deployment, connected when first used and kept while the function is warm. */
export function createTargets(deployment: Deployment, s3: S3Client): Targets {
  const open = new Map<string, Promise<Target>>();
  return (name) => {
    const config = deployment.targets[name];
    if (config === undefined || !Object.hasOwn(deployment.targets, name)) {
      return Promise.reject(new DispatchError('UnknownTarget', `there is no target '${name}'`, { field: 'target' }));
    }
    const known = open.get(name);
    if (known !== undefined) return known;
    const target = openTarget(config, s3);
    open.set(name, target);
    // The next caller tries again.
    target.catch(() => open.delete(name));
    return target;
  };
}

async function openTarget(config: TargetConfig, s3: S3Client): Promise<Target> {
  const connection = await connect(config.access, {
    env: process.env,
    now: () => Date.now(),
    awsCredentials: () => s3.config.credentials(),
    readSecret,
  });
  const api = createKubernetesApi(connection);
  const clusters = createClusters(api);
  return {
    clusters,
    logs: clusters,
    inventory: clusters,
    permits: clusters,
    renewals: clusters,
    namespaces: namespacesOf(config),
    jobManager: (ref) => createJobManager(createRestTransport(api, ref, config.rest)),
    session(ref) {
      const transport = createRestTransport(api, ref, config.rest);
      return { jars: createJars(transport), inspection: createClusterInspection(transport) };
    },
  };
}
