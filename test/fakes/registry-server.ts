import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  /** Of the body that arrived. */
  bytes: number;
}

/** Answers in place of the registry; `true` when it did. */
export type Fault = (seen: Seen, request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export type FakeAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Tokens come from `/token` of this server, or from `realm`; `tokens` are those that are good. */
  | { readonly kind: 'bearer'; readonly realm?: string; readonly tokens: Set<string> };

interface Repository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly mediaType: string; readonly text: string }>;
}

/** A registry in memory, as the OCI distribution specification 1.1 has it, that counts and fails as it is told. */
export class FakeRegistry {
  readonly seen: Seen[] = [];
  readonly repositories = new Map<string, Repository>();
  fault: Fault | undefined;
  auth: FakeAuth = { kind: 'none' };
  /** Where blobs are read, when not here: `http://127.0.0.1:1/` and the digest. */
  blobsAt: string | undefined;
  /** Whether places of uploads are told with their whole address. */
  absolute = false;
  readonly #uploads = new Map<string, Buffer[]>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  repository(name: string): Repository {
    const known = this.repositories.get(name) ?? { blobs: new Map(), manifests: new Map() };
    this.repositories.set(name, known);
    return known;
  }

  /** What was asked since, as `PUT /v2/…`, digests and upload ids cut short. */
  calls(from = 0): string[] {
    return this.seen.slice(from).map(({ method, path }) => `${method} ${path}`);
  }

  /** Bytes of blobs that arrived. */
  sent(from = 0): number {
    return this.seen.slice(from).reduce((sum, { path, bytes }) => sum + (path.includes('/blobs/') ? bytes : 0), 0);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    const seen: Seen = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      authorization: request.headers.authorization,
      bytes: 0,
    };
    this.seen.push(seen);
    if ((await this.fault?.(seen, request, response)) === true) return;
    const body = await read(request, seen);
    if (seen.path === '/token') return this.#token(seen, response);
    if (!this.#authorized(seen)) return this.#challenge(seen, response);
    const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(seen.path) ?? [];
    if (kind === 'manifests') return this.#manifest(seen, name, reference, { body, request, response });
    if (kind === 'blobs' && reference.startsWith('uploads/'))
      return this.#upload(seen, name, reference, body, response);
    if (kind === 'blobs') return this.#blob(seen, name, reference, response);
    return refuse(response, 404, 'NOT_FOUND');
  }

  #authorized({ authorization }: Seen): boolean {
    if (this.auth.kind === 'none') return true;
    if (this.auth.kind === 'bearer') return this.auth.tokens.has(authorization?.replace(/^Bearer /, '') ?? '');
    return authorization === `Basic ${Buffer.from(`${this.auth.username}:${this.auth.password}`).toString('base64')}`;
  }

  #challenge({ path }: Seen, response: ServerResponse): void {
    const name = /^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path)?.[1] ?? '';
    const realm = this.auth.kind === 'bearer' ? (this.auth.realm ?? `http://${this.host}/token`) : 'registry';
    const challenge =
      this.auth.kind === 'bearer'
        ? `Bearer realm="${realm}",service="fake registry",scope="repository:${name}:pull"`
        : `Basic realm="${realm}"`;
    refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
  }

  #token({ query }: Seen, response: ServerResponse): void {
    const token = `token-${randomUUID()}`;
    if (this.auth.kind === 'bearer') this.auth.tokens.add(token);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: 300, scope: query.getAll('scope') }));
  }

  #blob({ method }: Seen, name: string, digest: string, response: ServerResponse): void {
    const blob = this.repository(name).blobs.get(digest);
    if (blob === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    if (this.blobsAt !== undefined && method === 'GET') {
      response.writeHead(307, { location: `${this.blobsAt}${digest}` }).end();
      return;
    }
    response.writeHead(200, { 'content-length': blob.length, 'docker-content-digest': digest });
    response.end(method === 'HEAD' ? undefined : blob);
  }

  #upload(seen: Seen, name: string, reference: string, body: Buffer, response: ServerResponse): void {
    const { blobs } = this.repository(name);
    const { method, query } = seen;
    if (method === 'POST') {
      const mount = this.repositories.get(query.get('from') ?? '')?.blobs.get(query.get('mount') ?? '');
      if (mount !== undefined) {
        blobs.set(query.get('mount') ?? '', mount);
        response.writeHead(201, { location: `/v2/${name}/blobs/${query.get('mount')}` }).end();
        return;
      }
      const id = randomUUID();
      this.#uploads.set(id, []);
      return this.#place(response, name, id, 0);
    }
    const id = reference.slice('uploads/'.length);
    const parts = this.#uploads.get(id);
    // The state must come back as it was given.
    if (parts === undefined || query.get('_state') !== stateOf(id, parts))
      return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    parts.push(body);
    if (method === 'PATCH') return this.#place(response, name, id, Buffer.concat(parts).length);
    const whole = Buffer.concat(parts);
    const digest = query.get('digest') ?? '';
    this.#uploads.delete(id);
    if (digestOf(whole) !== digest) return refuse(response, 400, 'DIGEST_INVALID');
    blobs.set(digest, whole);
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }

  #place(response: ServerResponse, name: string, id: string, size: number): void {
    const path = `/v2/${name}/blobs/uploads/${id}?_state=${stateOf(id, this.#uploads.get(id) ?? [])}`;
    const location = this.absolute ? `http://${this.host}${path}` : path;
    response.writeHead(202, { location, range: `0-${Math.max(0, size - 1)}` }).end();
  }

  #manifest(
    { method }: Seen,
    name: string,
    reference: string,
    { body, request, response }: { body: Buffer; request: IncomingMessage; response: ServerResponse },
  ): void {
    const { manifests, blobs } = this.repository(name);
    if (method !== 'PUT') {
      const found = manifests.get(reference);
      if (found === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
      response.writeHead(200, {
        'content-type': found.mediaType,
        'content-length': Buffer.byteLength(found.text),
        'docker-content-digest': digestOf(found.text),
      });
      response.end(method === 'HEAD' ? undefined : found.text);
      return;
    }
    const text = body.toString('utf8');
    const document = JSON.parse(text) as Record<'config' | 'layers' | 'manifests', unknown>;
    const needs = [document.config, ...((document.layers ?? []) as unknown[])].flatMap((item) =>
      item ? [digestIn(item)] : [],
    );
    const lists = ((document.manifests ?? []) as unknown[]).map(digestIn);
    if (!needs.every((digest) => blobs.has(digest)) || !lists.every((digest) => manifests.has(digest)))
      return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN');
    const digest = digestOf(text);
    if (reference.startsWith('sha256:') && reference !== digest) return refuse(response, 400, 'DIGEST_INVALID');
    const manifest = { mediaType: request.headers['content-type'] ?? '', text };
    manifests.set(digest, manifest).set(reference, manifest);
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }
}

function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function digestIn(item: unknown): string {
  return (item as { digest: string }).digest;
}

function stateOf(id: string, parts: readonly Buffer[]): string {
  return `${id.slice(0, 8)}-${Buffer.concat([...parts]).length}`;
}

async function read(request: IncomingMessage, seen: Seen): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    seen.bytes += chunk.length;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: `${code} of the fake` }] }));
}
