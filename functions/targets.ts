import type { S3Client } from '@aws-sdk/client-s3';
import { createClusters } from '../lib/kubernetes/cluster/clusters.ts';
import { connect } from '../lib/kubernetes/access/connect.ts';
import { createKubernetesApi } from '../lib/kubernetes/api/https-api.ts';
import { createRestTransport } from '../lib/kubernetes/access/rest-access.ts';
import { DispatchError } from '../lib/core/errors.ts';
import type { Target, Targets } from '../lib/dispatch/targets.ts';
import { createJobHistory } from '../lib/flink/rest/history.ts';
import { createClusterInspection } from '../lib/flink/rest/inspection.ts';
import { createJars } from '../lib/flink/rest/jars.ts';
import { createApplicationManager, createJobManager } from '../lib/flink/rest/job-manager.ts';
import { createRescaling } from '../lib/flink/rest/rescaling.ts';
import { createSavepoints } from '../lib/flink/rest/savepoints.ts';
import { namespacesOf, type DispatchConfig, type TargetConfig } from '../lib/job/config/dispatch-config.ts';
import { readSecret } from './read-secret.ts';

/** Targets of the deployment, connected when first used and kept while the function is warm. */
export function createTargets(deployment: DispatchConfig, s3: S3Client): Targets {
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
  return {
    cluster: createClusters(api),
    namespaces: namespacesOf(config),
    jobManager: (ref) => createJobManager(createRestTransport(api, ref, config.rest)),
    application: (ref) => createApplicationManager(createRestTransport(api, ref, config.rest)),
    savepoints: (ref) => createSavepoints(createRestTransport(api, ref, config.rest)),
    rescaling: (ref) => createRescaling(createRestTransport(api, ref, config.rest)),
    history: (ref) => createJobHistory(createRestTransport(api, ref, config.rest)),
    session(ref) {
      const transport = createRestTransport(api, ref, config.rest);
      return { jars: createJars(transport), inspection: createClusterInspection(transport) };
    },
  };
}
