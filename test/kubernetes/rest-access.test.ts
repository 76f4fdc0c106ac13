import { describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { failure, json, scriptedServer } from './api-server.ts';

const ref = { namespace: 'n', clusterId: parseClusterId('c') };

function apiSaying(answer: (request: ApiRequest) => ApiResponse): KubernetesApi & { readonly requests: ApiRequest[] } {
  const requests: ApiRequest[] = [];
  return {
    requests,
    request(request) {
      requests.push(request);
      return Promise.resolve(answer(request));
    },
  };
}

describe('through the API server', () => {
  it('goes to the service proxy, and passes the JobManager’s own errors on', async () => {
    const api = apiSaying(() => ({ status: 404, body: { errors: ['no such job'] } }));
    const rest = createRestTransport(api, ref, { kind: 'service-proxy' });
    const query = { get: 'a' };
    expect(await rest({ method: 'GET', path: '/jobs/x', query, timeout: 5 })).toMatchObject({ status: 404 });
    expect(api.requests[0]).toEqual({
      method: 'GET',
      path: '/api/v1/namespaces/n/services/c-rest%3Arest/proxy/jobs/x',
      query,
      timeout: 5,
    });
  });

  it('tells the API server to speak TLS where the JobManager does', async () => {
    const api = apiSaying(() => ({ status: 200, body: {} }));
    await createRestTransport(api, { ...ref, restTls: true }, { kind: 'service-proxy' })({ method: 'GET', path: '/x' });
    expect(api.requests[0]?.path).toBe('/api/v1/namespaces/n/services/https%3Ac-rest%3Arest/proxy/x');
  });

  it.each([
    [503, 'no endpoints available for service "c-rest:rest"', 'RestUnreachable'],
    [404, 'services "c-rest" not found', 'RestUnreachable'],
    [403, 'User "u" cannot get resource "services/proxy"', 'PermissionDenied'],
  ])('tells the API server’s own %i apart', async (status, message, reason) => {
    const api = apiSaying(() => ({ status, body: failure(status, 'x', message) }));
    const rest = createRestTransport(api, ref, { kind: 'service-proxy' });
    await expect(rest({ method: 'GET', path: '/overview' })).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('to an address', () => {
  it('never speaks TLS without knowing the certificate', async () => {
    const api = apiSaying(() => ({ status: 200, body: {} }));
    const rest = createRestTransport(api, { ...ref, restTls: true }, { kind: 'service-dns' });
    await expect(rest({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      ...{ reason: 'InvalidConfiguration', field: 'security.ssl.rest.enabled' },
    });
  });

  const service = (spec: object, status: object = {}): ApiResponse => ({
    status: 200,
    body: { metadata: {}, spec: { ports: [{ name: 'rest', port: 8081, ...spec }], ...spec }, status },
  });

  it('of a node asks the JobManager’s own, and looks it up once', async () => {
    const jobManager = await scriptedServer((_seen, response) => json(response, 200, { ok: 1 }));
    const port = Number(new URL(jobManager.url).port);
    const api = apiSaying(({ path }) =>
      path.endsWith('/pods')
        ? { status: 200, body: { items: [{ metadata: {}, status: { hostIP: '127.0.0.1' } }] } }
        : service({ nodePort: port }),
    );
    const rest = createRestTransport(api, ref, { kind: 'node-port' });
    expect(await rest({ method: 'GET', path: '/overview' })).toEqual({ status: 200, body: { ok: 1 } });
    await rest({ method: 'GET', path: '/overview' });
    expect(api.requests).toHaveLength(2);
    await jobManager.close();
  });

  it.each([
    ['node-port', service({}), 'NodePort'],
    ['load-balancer', service({ type: 'ClusterIP' }), 'LoadBalancer'],
    ['load-balancer', service({ type: 'LoadBalancer' }), 'no load balancer yet'],
    ['service-dns', { status: 404, body: failure(404, 'NotFound', 'x') }, 'no such port yet'],
  ] as const)('of a %s says what is missing', async (kind, answer, said) => {
    const rest = createRestTransport(
      apiSaying(() => answer),
      ref,
      { kind },
    );
    await expect(rest({ method: 'GET', path: '/overview' })).rejects.toMatchObject({
      reason: 'RestUnreachable',
      message: expect.stringContaining(said) as string,
    });
  });
});
