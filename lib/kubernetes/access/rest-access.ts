import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import { createHttpTransport } from '../../flink/rest/http-transport.ts';
import type { RestRequest, RestResponse, RestTransport } from '../../flink/rest/transport.ts';
import type { TargetConfig } from '../../job/config/dispatch-config.ts';
import { apiPath, type KubernetesApi } from '../api/api.ts';
import { createObjectClient, type ObjectClient } from '../api/client.ts';
import { selectorOf } from '../api/kinds.ts';
import type { ClusterRef } from '../cluster/port.ts';
import { readable } from '../api/readable.ts';
import { statusError, statusIn } from '../api/status-error.ts';

/** `service-proxy`, `service-dns`, `node-port` or `load-balancer`. */
export type RestAccess = TargetConfig['rest'];

/** The name that Flink's client gives to the Service and to its port (`<cluster-id>-rest`, `rest`). */
const PORT_NAME = 'rest';

/** The way to the JobManager of a cluster. Addresses are looked up once, at the first request that needs them. */
export function createRestTransport(api: KubernetesApi, ref: ClusterRef, access: RestAccess): RestTransport {
  const { kind } = access;
  if (kind === 'service-proxy') return (request) => throughApiServer(api, ref, request);
  const client = createObjectClient(api);
  let known: RestTransport | undefined;
  return async (request) => {
    known ??= createHttpTransport(await readable(() => baseUrl(client, ref, kind)));
    return known(request);
  };
}

/**
 * The API server's proxy: who reaches the API reaches the JobManager, from anywhere. Our way ends at the API server, whose
 * certificate is verified; on its own way to a JobManager with TLS it verifies none, as for all that it is a proxy of.
 */
async function throughApiServer(api: KubernetesApi, ref: ClusterRef, request: RestRequest): Promise<RestResponse> {
  const { path, ...rest } = request;
  const service = `${ref.restTls === true ? 'https:' : ''}${serviceName(ref)}:${PORT_NAME}`;
  const proxy = apiPath('api', 'v1', 'namespaces', ref.namespace, 'services', service, 'proxy');
  const response = await api.request({ ...rest, path: `${proxy}${path}` });
  // A JobManager never answers with a Status: this is the API server, which did not reach it.
  if (statusIn(response.body) === undefined) return response;
  const error = statusError(response, {
    verb: request.method === 'GET' ? 'get' : 'create',
    resource: `services/proxy of ${service}`,
    namespace: ref.namespace,
  });
  if (error.reason === 'PermissionDenied') throw error;
  throw new DispatchError('RestUnreachable', error.message, { cause: error });
}

function serviceName({ clusterId }: ClusterRef): string {
  return `${clusterId}-rest`;
}

type DirectAccess = Exclude<RestAccess['kind'], 'service-proxy'>;

async function baseUrl(client: ObjectClient, ref: ClusterRef, kind: DirectAccess): Promise<string> {
  if (ref.restTls === true) {
    const message = `security.ssl.rest.enabled: rest.kind ${kind} of the target does not know the JobManager's certificate`;
    throw new DispatchError('InvalidConfiguration', message, { field: 'security.ssl.rest.enabled' });
  }
  const service = await client.get<V1Service>('Service', ref.namespace, serviceName(ref));
  const port = service?.spec?.ports?.find(({ name }) => name === PORT_NAME);
  if (service === undefined || port === undefined) throw unreachable(ref, 'has no such port yet');
  switch (kind) {
    case 'service-dns':
      return url(`${serviceName(ref)}.${ref.namespace}`, port.port);
    case 'node-port':
      if (port.nodePort === undefined) throw unreachable(ref, exposedAs('NodePort'));
      return url(await nodeAddress(client, ref), port.nodePort);
    case 'load-balancer':
      return url(balancerAddress(ref, service), port.port);
  }
}

function balancerAddress(ref: ClusterRef, { spec, status }: V1Service): string {
  if (spec?.type !== 'LoadBalancer') throw unreachable(ref, exposedAs('LoadBalancer'));
  const ingress = status?.loadBalancer?.ingress?.[0];
  const address = ingress?.hostname ?? ingress?.ip;
  if (address === undefined) throw unreachable(ref, 'has no load balancer yet');
  return address;
}

/** Any node forwards a node port; the JobManager's own is known without the right to list nodes. */
async function nodeAddress(client: ObjectClient, ref: ClusterRef): Promise<string> {
  const labelSelector = `${selectorOf(ref)},component=jobmanager`;
  const pods = await client.list<V1Pod>('Pod', ref.namespace, { labelSelector });
  const address = pods.find(({ status }) => status?.hostIP !== undefined)?.status?.hostIP;
  if (address === undefined) throw unreachable(ref, 'has no JobManager on a node yet');
  return address;
}

function url(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function exposedAs(type: string): string {
  return `is not exposed: set kubernetes.rest-service.exposed.type to ${type}, or rest.kind of the target to service-proxy`;
}

function unreachable(ref: ClusterRef, what: string): DispatchError {
  return new DispatchError('RestUnreachable', `Service ${serviceName(ref)} in namespace ${ref.namespace} ${what}`);
}
