import { existsSync } from 'node:fs';
import { defined } from '../../../../lib/core/defined.ts';
import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../../../lib/kubernetes/cluster/clusters.ts';
import type { Connection } from '../../../../lib/kubernetes/access/connection.ts';
import { createKubernetesApi } from '../../../../lib/kubernetes/api/https-api.ts';
import { inClusterConnection } from '../../../../lib/kubernetes/access/in-cluster.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../../../lib/kubernetes/access/kubeconfig.ts';
import type { ClusterLogs, ClusterRef, Clusters } from '../../../../lib/kubernetes/cluster/port.ts';
import { createRestTransport } from '../../../../lib/kubernetes/access/rest-access.ts';
import type { ApplicationManager, Jars, Savepoints } from '../../../../lib/flink/job-manager.ts';
import { createHttpTransport } from '../../../../lib/flink/rest/http-transport.ts';
import { createJars } from '../../../../lib/flink/rest/jars.ts';
import { createApplicationManager, shutDownCluster } from '../../../../lib/flink/rest/job-manager.ts';
import { createSavepoints } from '../../../../lib/flink/rest/savepoints.ts';
import type { Io } from '../terminal/io.ts';
import { withJobs } from './job-clusters.ts';
import type { Settings } from '../flags/settings.ts';
import { UsageError } from '../flags/usage.ts';

/** One Kubernetes, and the JobManagers on it. */
export interface Kubernetes {
  readonly connection: Connection;
  readonly api: KubernetesApi;
  readonly clusters: Clusters;
  readonly logs: ClusterLogs;
  rest(ref: ClusterRef): Rest;
}

/** A JobManager's REST endpoint, reached through the API server's proxy of its REST Service. */
export interface Rest {
  readonly jobManager: ApplicationManager;
  readonly savepoints: Savepoints;
  readonly jars: Jars;
  /** DELETE /cluster. */
  shutDown(): Promise<void>;
}

/**
 * FlinkKubeClientFactory: the file of `kubernetes.config.file`, else KUBECONFIG, else ~/.kube/config, else the pod's own
 * service account; the context of `kubernetes.context`. @throws UsageError when there is none of them
 */
export async function connect(settings: Settings, io: Io): Promise<Kubernetes> {
  const connection = await connectionOf(settings.effective, io);
  const api = createKubernetesApi(connection);
  const native = createClusters(api);
  const direct = settings.serviceAddress === undefined ? undefined : restUrl(settings.serviceAddress);
  return {
    connection,
    api,
    clusters: withJobs(native, api),
    logs: native,
    rest(ref) {
      const transport =
        direct === undefined ? createRestTransport(api, ref, { kind: 'service-proxy' }) : createHttpTransport(direct);
      return {
        jobManager: createApplicationManager(transport),
        savepoints: createSavepoints(transport),
        jars: createJars(transport),
        shutDown: () => shutDownCluster(transport),
      };
    },
  };
}

/** `localhost`, `node:port` or an external address, as the first client took it; the port is Flink's own by default. */
function restUrl(address: string): string {
  const text = /^https?:\/\//.test(address) ? address : `http://${address}`;
  if (!URL.canParse(text)) throw new UsageError(`${address} is no address of a JobManager: host or host:port`);
  const url = new URL(text);
  if (url.port === '' && url.protocol === 'http:') url.port = '8081';
  return url.href;
}

async function connectionOf(options: Readonly<Record<string, string>>, io: Io): Promise<Connection> {
  const named = options['kubernetes.config.file'];
  const context = options['kubernetes.context'];
  const files = (named === undefined ? kubeconfigFiles(io.env) : [named]).filter((file) => existsSync(file));
  if (files.length > 0) return kubeconfigConnection({ files, ...defined({ context }) });
  const host = io.env['KUBERNETES_SERVICE_HOST'];
  const port = io.env['KUBERNETES_SERVICE_PORT'];
  if (named === undefined && host !== undefined && port !== undefined) {
    return inClusterConnection({ host, port, now: () => io.clock.now() });
  }
  const looked = named ?? kubeconfigFiles(io.env).join(', ');
  throw new UsageError(`no kubeconfig: looked for ${looked}; set KUBECONFIG, or -Dkubernetes.config.file=<file>`);
}
