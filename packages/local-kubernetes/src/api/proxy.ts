import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { ApiError, badRequest, notFound, unavailable } from '../errors.ts';
import type { Pod, Service, ServicePort } from '../objects.ts';
import { isReady } from '../controllers/pod-template.ts';
import { PODS, SERVICES } from '../resources.ts';
import type { Store } from '../store.ts';
import type { Addresses } from '../node/addresses.ts';
import type { Target } from './request.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface Network {
  readonly store: Store;
  readonly addresses: Addresses;
}

function targetPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === target)?.containerPort;
}

function at({ addresses }: Network, pod: Pod, port: number): Endpoint | undefined {
  const address = addresses.find(pod.metadata.uid);
  return address === undefined ? undefined : { host: address.ip, port: address.port(port) };
}

/** The first ready pod behind a Service's port. */
export function endpointOf(network: Network, service: Service, port: ServicePort): Endpoint | undefined {
  const selector = Object.entries(service.spec.selector ?? {});
  if (selector.length === 0) return undefined;
  const pods = network.store.list(PODS, service.metadata.namespace) as Pod[];
  const behind = pods.filter(
    (pod) => selector.every(([key, value]) => pod.metadata.labels?.[key] === value) && isReady(pod),
  );
  for (const pod of behind) {
    const number = targetPort(pod, port);
    const endpoint = number === undefined ? undefined : at(network, pod, number);
    if (endpoint !== undefined) return endpoint;
  }
  return undefined;
}

/** `name`, `name:port` or `scheme:name:port`. */
function nameAndPort(text: string): readonly [string, string] {
  const parts = text.split(':');
  if (parts.length === 3) return [parts[1] ?? '', parts[2] ?? ''];
  return [parts[0] ?? '', parts[1] ?? ''];
}

function resolveService(network: Network, target: Target): Endpoint {
  const [name, port] = nameAndPort(target.name ?? '');
  const service = network.store.get(SERVICES, target.namespace, name) as Service;
  const ports = service.spec.ports ?? [];
  const wanted =
    port === '' && ports.length === 1
      ? ports[0]
      : ports.find((each) => each.name === port || String(each.port) === port);
  if (wanted === undefined) throw unavailable(`no endpoints available for service "${name}"`);
  const endpoint = endpointOf(network, service, wanted);
  if (endpoint === undefined) throw unavailable(`no endpoints available for service "${target.name ?? ''}"`);
  return endpoint;
}

function resolvePod(network: Network, target: Target): Endpoint {
  const [name, port] = nameAndPort(target.name ?? '');
  const pod = network.store.find(PODS, target.namespace, name) as Pod | undefined;
  if (pod === undefined) throw notFound(PODS, name);
  const number = Number(port || (pod.spec.containers[0]?.ports?.[0]?.containerPort ?? 80));
  if (!Number.isInteger(number)) throw badRequest(`not a port: ${port}`);
  const endpoint = at(network, pod, number);
  if (endpoint === undefined) throw badRequest('address not allowed');
  return endpoint;
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host', 'authorization']);

function forwarded(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !HOP_BY_HOP.has(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

/** Passes a request on to a pod, or to a pod behind a Service. @throws ApiError 404, 503 */
export async function proxy(
  network: Network,
  target: Target,
  search: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { host, port } = target.resource === SERVICES ? resolveService(network, target) : resolvePod(network, target);
  await new Promise<void>((resolve, reject) => {
    const headers = forwarded(request.headers);
    const options = { host, port, path: `/${target.rest}${search}`, method: request.method, headers };
    const upstream = httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, forwarded(answer.headers));
      answer.pipe(response);
      answer.once('end', resolve);
      answer.once('error', reject);
    });
    upstream.once('error', (error) => {
      const message = `error trying to reach service: ${error.message}`;
      reject(new ApiError(503, 'ServiceUnavailable', message));
    });
    response.once('close', () => upstream.destroy());
    request.pipe(upstream);
  });
}
