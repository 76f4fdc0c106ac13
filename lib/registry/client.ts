import { createHash } from 'node:crypto';
import { isRecord } from '../core/json.ts';
import { DispatchError } from '../core/errors.ts';
import { ask, steady, textOf, type Call, type CallDeps } from './calls.ts';
import { fromAnswer, fromSilence } from './failure.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/http.ts';
import { MANIFEST_TYPES, sha256, type Descriptor, type Manifest } from './manifest.ts';
import { pathTo, pull, push } from './paths.ts';
import type { Registry, Resolved } from './port.ts';
import { isDigest, nameOf, type RepositoryName } from './reference.ts';
import { endpointOf } from './settings.ts';
import { uploadBlob } from './upload.ts';

const MAX_MANIFEST = 4 * 1024 * 1024;
const ACCEPT = MANIFEST_TYPES.join(', ');

/** Registries over the OCI distribution API 1.1, which is Docker's registry API 2. */
export function createRegistry(deps: CallDeps): Registry {
  return {
    resolve: (image, reference) => steady(deps, () => resolve(deps, image, reference)),
    manifest: (image, digest) => steady(deps, () => manifest(deps, image, digest)),
    blob: (image, descriptor) => blob(deps, image, descriptor),
    putBlob: (to, upload) => steady(deps, () => uploadBlob(deps, to, upload)),
    putManifest: (to, content, reference) => steady(deps, () => putManifest(deps, to, content, reference)),
  };
}

function reading(deps: CallDeps, image: RepositoryName, what: string): Omit<Call, 'method' | 'to'> {
  const endpoint = endpointOf(deps.hosts, image.host, 'image');
  return { endpoint, scopes: pull(image), what: `${what} of ${nameOf(image)}` };
}

async function resolve(deps: CallDeps, image: RepositoryName, reference: string): Promise<Resolved | undefined> {
  const call = { ...reading(deps, image, 'resolving a tag'), to: pathTo(image, 'manifests', reference) };
  const response = await ask({ ...call, method: 'HEAD', headers: { accept: ACCEPT } }, deps);
  await discard(response);
  const { status } = response;
  if (status === 429 || (status >= 500 && status !== 501)) throw await fromAnswer(call.what, response);
  const digest = response.headers['docker-content-digest'];
  const mediaType = typeOf(response);
  if (status === 200 && digest !== undefined && isDigest(digest) && mediaType !== undefined)
    return { digest, mediaType };
  // What does not tell has to show: some registries know no HEAD (405, or 404), and none says why without a body.
  return fetchManifest(deps, image, reference);
}

async function manifest(deps: CallDeps, image: RepositoryName, digest: string): Promise<Manifest | undefined> {
  const found = await fetchManifest(deps, image, digest);
  if (found !== undefined && found.digest !== digest)
    throw new DispatchError('RegistryUnavailable', `the manifest of ${nameOf(image)} is not what its digest says`);
  return found;
}

async function fetchManifest(deps: CallDeps, image: RepositoryName, reference: string): Promise<Manifest | undefined> {
  const call = { ...reading(deps, image, 'reading the manifest'), to: pathTo(image, 'manifests', reference) };
  const response = await ask({ ...call, method: 'GET', headers: { accept: ACCEPT } }, deps);
  if (response.status === 404) {
    await discard(response);
    return undefined;
  }
  if (response.status !== 200) throw await fromAnswer(call.what, response);
  const text = await textOf(response, call.what, MAX_MANIFEST);
  return { text, digest: sha256(text), mediaType: typeOf(response) ?? typeIn(text) };
}

async function* blob(deps: CallDeps, image: RepositoryName, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  const call = { ...reading(deps, image, 'reading a blob'), to: pathTo(image, 'blobs', descriptor.digest) };
  const response = await steady(deps, async () => {
    const answer = await ask({ ...call, method: 'GET' }, deps);
    if (answer.status === 200) return answer;
    throw await fromAnswer(call.what, answer);
  });
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      size += chunk.byteLength;
      if (size > descriptor.size) break;
      yield chunk;
    }
  } catch (error) {
    throw fromSilence(call.what, error);
  }
  if (size !== descriptor.size || `sha256:${hash.digest('hex')}` !== descriptor.digest)
    throw new DispatchError('RegistryUnavailable', `${call.what}: it is not what its digest says`);
}

async function putManifest(
  deps: CallDeps,
  to: RepositoryName,
  { text, mediaType }: Manifest,
  reference: string,
): Promise<void> {
  const endpoint = endpointOf(deps.hosts, to.host, 'jarDelivery.repository');
  const call: Call = {
    endpoint,
    scopes: push(to),
    method: 'PUT',
    to: pathTo(to, 'manifests', reference),
    headers: { 'content-type': mediaType },
    body: Buffer.from(text, 'utf8'),
    what: `writing a manifest of ${nameOf(to)}`,
  };
  const response = await ask(call, deps);
  if (response.status !== 201) throw await fromAnswer(call.what, response);
  await discard(response);
}

function typeOf({ headers }: HttpResponse): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim();
}

/** Empty for what tells of none. */
function typeIn(text: string): string {
  try {
    const document: unknown = JSON.parse(text);
    const type = isRecord(document) ? document['mediaType'] : undefined;
    return typeof type === 'string' ? type : '';
  } catch {
    return '';
  }
}
