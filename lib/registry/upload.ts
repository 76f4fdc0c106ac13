import { createHash } from 'node:crypto';
import { DispatchError, isDispatchError } from '../core/errors.ts';
import { Payload } from '../core/payload.ts';
import { addressOf, ask, locationFrom, type Answer, type Call, type CallDeps } from './calls.ts';
import { fromAnswer } from './failure.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/http.ts';
import { pathTo, push } from './paths.ts';
import type { BlobUpload, StoredBlob } from './port.ts';
import { nameOf, type RepositoryName } from './reference.ts';
import { endpointOf } from './settings.ts';

type Base = Omit<Call, 'method' | 'to'>;

/**
 * One try to have a blob in a repository. What it is known by is asked for first; then the registry is asked to take it
 * over from another repository; then it is sent in one piece, as containerd sends it when the digest is known, and as
 * Docker does when it is not.
 */
export async function uploadBlob(deps: CallDeps, to: RepositoryName, blob: BlobUpload): Promise<StoredBlob> {
  const { mountFrom, ...alone } = blob;
  try {
    return await upload(deps, to, blob);
  } catch (error) {
    // Token services that give no rights to two repositories at once refuse all of it; Docker then sends the blob.
    if (mountFrom === undefined || !isDispatchError(error) || error.reason !== 'RegistryRefused') throw error;
    return upload(deps, to, alone);
  }
}

async function upload(deps: CallDeps, to: RepositoryName, blob: BlobUpload): Promise<StoredBlob> {
  const base: Base = {
    endpoint: endpointOf(deps.hosts, to.host, 'jarDelivery.repository'),
    scopes: push(to, blob.mountFrom),
    what: `writing a blob of ${nameOf(to)}`,
  };
  const { digest } = blob;
  if (digest !== undefined && (await exists(deps, base, to, digest))) return { digest, how: 'existed' };
  const place = await begin(deps, base, to, blob);
  if (place === 'mounted') return { digest: digest ?? '', how: 'mounted' };
  if (digest !== undefined) {
    await finish(deps, base, place, digest, blob);
    return { digest, how: 'uploaded' };
  }
  const sent = await sendUnknown(deps, base, place, blob);
  await finish(deps, base, sent.place, sent.digest);
  return { digest: sent.digest, how: 'uploaded' };
}

async function exists(deps: CallDeps, base: Base, to: RepositoryName, digest: string): Promise<boolean> {
  const call: Call = { ...base, method: 'HEAD', to: pathTo(to, 'blobs', digest) };
  const response = await ask(call, deps);
  await discard(response);
  if (response.status === 200) return true;
  if (response.status === 404) return false;
  throw await fromAnswer(base.what, response);
}

async function begin(
  deps: CallDeps,
  base: Base,
  to: RepositoryName,
  { digest, mountFrom }: BlobUpload,
): Promise<URL | 'mounted'> {
  const mount = digest !== undefined && mountFrom !== undefined ? { mount: digest, from: mountFrom } : undefined;
  const url = addressOf(base.endpoint, `${pathTo(to, 'blobs', 'uploads')}/`);
  url.search = new URLSearchParams(mount).toString();
  const response = await ask({ ...base, method: 'POST', to: url }, deps);
  if (response.status === 404) {
    const cause = await fromAnswer(base.what, response);
    throw new DispatchError('InvalidConfiguration', `${cause.message}: the repository may have to be made first`, {
      field: 'jarDelivery.repository',
      cause,
    });
  }
  if (response.status === 201 && mount !== undefined) {
    await discard(response);
    return 'mounted';
  }
  await wanted(202, response, base);
  return next(response, base);
}

async function finish(deps: CallDeps, base: Base, place: URL, digest: string, blob?: BlobUpload): Promise<void> {
  const url = new URL(place);
  // Added as text: what the registry keeps in its address goes back as it came.
  url.search = `${url.search === '' ? '?' : `${url.search}&`}${new URLSearchParams({ digest }).toString()}`;
  const body = blob && { body: new Payload(blob.size, () => blob.open()) };
  const response = await ask({ ...base, method: 'PUT', to: url, headers: OCTETS, ...body }, deps);
  await wanted(201, response, base);
}

const OCTETS = { 'content-type': 'application/octet-stream' };

/** Sends what has no digest yet, and makes it on the way. */
async function sendUnknown(
  deps: CallDeps,
  base: Base,
  place: URL,
  blob: BlobUpload,
): Promise<{ place: URL; digest: string }> {
  let hash = createHash('sha256');
  const body = new Payload(blob.size, () => {
    hash = createHash('sha256');
    return hashed(blob.open(), hash);
  });
  const response = await ask({ ...base, method: 'PATCH', to: place, headers: OCTETS, body }, deps);
  await wanted(202, response, base);
  return { place: next(response, base), digest: `sha256:${hash.digest('hex')}` };
}

async function* hashed(
  stream: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
}

function next({ headers, from }: Answer, base: Base): URL {
  return locationFrom(headers['location'] ?? '', from, { ...base, method: 'PUT', to: from });
}

/** An upload that the registry has lost, or of which it has other bytes than were sent, begins anew. */
async function wanted(status: number, response: HttpResponse, { what }: Base): Promise<HttpResponse> {
  if (response.status === status) {
    await discard(response);
    return response;
  }
  const error = await fromAnswer(what, response);
  const lost = response.status === 404 || response.status === 416;
  throw lost ? new DispatchError('RegistryUnavailable', error.message, { cause: error }) : error;
}
