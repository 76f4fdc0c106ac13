import { existsSync, readFileSync } from 'node:fs';
import type { RestTransport } from '../../../lib/flink/rest/transport.ts';

const ROOT = new URL('../../fixtures/flink/rest/', import.meta.url);

/** Answers what a real JobManager of that version and state answered; what was not recorded is not found. */
export function recordedTransport(version: string, state: string): RestTransport & { readonly asked: string[] } {
  const asked: string[] = [];
  const transport: RestTransport = ({ method, path }) => {
    asked.push(`${method} ${path}`);
    const name = path
      .replace(/^\/jobs\/[0-9a-f]{32}/, '/job')
      .slice(1)
      .replaceAll('/', '_');
    const file = new URL(`${version}/${state}/${name}.json`, ROOT);
    if (method !== 'GET' || !existsSync(file)) {
      return Promise.resolve({ status: 404, body: { errors: [`Not found: ${path}`] } });
    }
    return Promise.resolve({ status: 200, body: JSON.parse(readFileSync(file, 'utf8')) as unknown });
  };
  return Object.assign(transport, { asked });
}

/** A transport that gives each request the next answer of its path. */
export function scripted(
  answers: Record<string, { status: number; body: unknown }[]>,
): RestTransport & { requests: unknown[] } {
  const requests: unknown[] = [];
  const transport: RestTransport = (request) => {
    requests.push(request);
    const queue = answers[`${request.method} ${request.path}`];
    const next = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0];
    return Promise.resolve(next ?? { status: 404, body: { errors: [`Not found: ${request.path}`] } });
  };
  return Object.assign(transport, { requests });
}
