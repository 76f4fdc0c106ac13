import { withDefaults } from './defaults.ts';
import { ApiError, forbidden, notFound } from './errors.ts';
import { randomSuffix } from './controllers/pod-template.ts';
import { isRecord, type KubeObject, type Pod } from './objects.ts';
import { checkQuota } from './quota.ts';
import { DEPLOYMENTS, NAMESPACES, PODS, REPLICA_SETS, SERVICES, SERVICE_ACCOUNTS, type Resource } from './resources.ts';
import type { Store } from './store.ts';
import { validate } from './validate.ts';

export interface AdmissionOptions {
  /** Completes an object before it is checked: paths of pods, addresses of Services. */
  readonly prepare: (resource: Resource, object: KubeObject) => KubeObject;
}

/** What stands between a request and the store: defaults, checks, quota. */
export class Admission {
  readonly #store: Store;
  readonly #options: AdmissionOptions;

  constructor(store: Store, options: AdmissionOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** @throws ApiError 403, 404 (namespace), 409, 422 */
  create(resource: Resource, object: KubeObject, dryRun = false): KubeObject {
    const named = this.#named(object);
    const full = withGeneration(resource, withDefaults(resource, this.#options.prepare(resource, named)));
    this.#checkNamespace(resource, full);
    validate(resource, full);
    if (resource === PODS) this.#checkServiceAccount(full as Pod);
    // A name that is taken is a 409 before the quota is asked.
    const taken = this.#store.find(resource, full.metadata.namespace, full.metadata.name) !== undefined;
    if (!taken) checkQuota(this.#store, resource, full);
    return dryRun && !taken ? full : this.#store.create(resource, full);
  }

  /** @throws ApiError 404, 409, 422 */
  update(resource: Resource, object: KubeObject): KubeObject {
    const previous = this.#store.get(resource, object.metadata.namespace, object.metadata.name);
    const full = withDefaults(resource, object);
    if (resource.subresources.includes('status')) full.status = previous.status;
    if (full.status === undefined) delete full.status;
    validate(resource, full);
    const { deletionTimestamp, deletionGracePeriodSeconds, generation } = previous.metadata;
    const metadata = {
      ...full.metadata,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    };
    if (generation !== undefined) {
      metadata.generation = JSON.stringify(previous.spec) === JSON.stringify(full.spec) ? generation : generation + 1;
    }
    return this.#store.update(resource, { ...full, metadata });
  }

  #named(object: KubeObject): KubeObject {
    const { name, generateName } = object.metadata;
    if (name !== '' || generateName === undefined || generateName === '') return object;
    return { ...object, metadata: { ...object.metadata, name: `${generateName}${randomSuffix()}` } };
  }

  #checkNamespace(resource: Resource, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    if (!resource.namespaced || namespace === undefined) return;
    const found = this.#store.find(NAMESPACES, undefined, namespace);
    if (found === undefined) throw notFound(NAMESPACES, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(resource, name, why);
  }

  #checkServiceAccount(pod: Pod): void {
    const { namespace, name } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? 'default';
    if (this.#store.find(SERVICE_ACCOUNTS, namespace, account) !== undefined) return;
    const why = `error looking up service account ${namespace ?? ''}/${account}: serviceaccount "${account}" not found`;
    throw forbidden(PODS, name, why);
  }
}

function withGeneration(resource: Resource, object: KubeObject): KubeObject {
  if (resource !== DEPLOYMENTS && resource !== REPLICA_SETS) return object;
  return { ...object, metadata: { ...object.metadata, generation: 1 } };
}

/** Makes an object of a request's body. @throws ApiError 400 */
export function toObject(
  resource: Resource,
  apiVersion: string,
  body: unknown,
  namespace: string | undefined,
): KubeObject {
  if (!isRecord(body)) throw new ApiError(400, 'BadRequest', 'the body of the request is no object');
  const { metadata: given, ...rest } = body;
  if (body['kind'] !== undefined && body['kind'] !== resource.kind) {
    throw new ApiError(
      400,
      'BadRequest',
      `the object provided is a ${JSON.stringify(body['kind'])}, not a ${resource.kind}`,
    );
  }
  const metadata = isRecord(given) ? given : {};
  const own = metadata['namespace'];
  if (namespace !== undefined && own !== undefined && own !== namespace) {
    const message = `the namespace of the provided object does not match the namespace sent on the request (${JSON.stringify(own)}, ${namespace})`;
    throw new ApiError(400, 'BadRequest', message);
  }
  const kept = { ...metadata };
  delete kept['selfLink'];
  delete kept['managedFields'];
  return {
    ...rest,
    apiVersion,
    kind: resource.kind,
    metadata: {
      ...kept,
      name: typeof metadata['name'] === 'string' ? metadata['name'] : '',
      ...(namespace === undefined ? {} : { namespace }),
      uid: typeof metadata['uid'] === 'string' ? metadata['uid'] : '',
      resourceVersion: typeof metadata['resourceVersion'] === 'string' ? metadata['resourceVersion'] : '',
      creationTimestamp: '',
    },
  };
}

/** Fake cluster addresses, and node ports where they are asked for. */
export function withServiceAddress(object: KubeObject, index: number, nodePort: () => number): KubeObject {
  if (object.kind !== SERVICES.kind || !isRecord(object.spec)) return object;
  const spec: Record<string, unknown> = { ...object.spec };
  if (spec['type'] === 'ExternalName') return object;
  spec['clusterIP'] ??= `10.96.${String(Math.floor(index / 250) % 250)}.${String((index % 250) + 2)}`;
  spec['clusterIPs'] ??= [spec['clusterIP']];
  if ((spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') && Array.isArray(spec['ports'])) {
    spec['ports'] = spec['ports'].map((port: unknown) =>
      isRecord(port) ? { ...port, nodePort: port['nodePort'] ?? nodePort() } : port,
    );
  }
  return { ...object, spec, status: object.status ?? { loadBalancer: {} } };
}
