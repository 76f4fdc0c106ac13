import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createHttp } from '../../../../lib/http/http.ts';
import { openApi } from '../../../../lib/kubernetes/api/https-api.ts';
import { apiPath } from '../../../../lib/kubernetes/api/api.ts';
import type { Connection } from '../../../../lib/kubernetes/access/connection.ts';
import { describeError } from '../../../../lib/core/errors.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect } from '../clusters/connect.ts';
import { isLoopback } from '../../../../lib/view/server/guard.ts';
import { printJson } from '../terminal/io.ts';
import { listen, portOf, untilInterrupted } from '../terminal/loopback.ts';
import type { NativeCluster } from '../clusters/native-clusters.ts';
import { selectCluster } from '../flags/select.ts';
import { readSettings } from '../flags/settings.ts';

/** Serves the web UI on a loopback port until it is interrupted; of a run whose cluster is gone by what is archived. */
export const execute: Execute = async (io, parsed) => {
  const run = valueOf(parsed, 'run');
  const live = run === undefined ? undefined : await (await import('../archive/run-ui.ts')).runUi(io, parsed, run);
  if (run !== undefined && live === undefined) return 0;
  const settings = readSettings(io, parsed);
  const port = portOf(valueOf(parsed, 'port'));
  const kubernetes = await connect(settings, io);
  const cluster = live ?? (await selectCluster(kubernetes, settings, parsed.args[0]));
  const facts = await kubernetes.rest(cluster).jobManager.overview();
  const server = createServer(uiProxy(kubernetes.connection, cluster));
  const url = `http://127.0.0.1:${await listen(server, port)}/`;
  if (has(parsed, 'json')) printJson(io, { clusterId: cluster.clusterId, url, flinkVersion: facts.flinkVersion });
  else io.out(`${url}\n`);
  io.err(`Flink ${facts.flinkVersion} of cluster ${cluster.clusterId}; Ctrl-C ends it\n`);
  await untilInterrupted(io, server);
  return 0;
};

/** One request of the browser is one request to the API server's proxy of the REST Service. */
export function uiProxy(
  connection: Connection,
  { namespace, clusterId }: Pick<NativeCluster, 'namespace' | 'clusterId'>,
) {
  const ask = openApi(connection, createHttp());
  const base = apiPath('api', 'v1', 'namespaces', namespace, 'services', `${clusterId}-rest:rest`, 'proxy');
  return (request: IncomingMessage, response: ServerResponse): void => {
    const fail = (status: number, text: string) => {
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`${text}\n`);
    };
    // a page of another origin could reach a loopback port by a name of its own
    const { host, origin } = request.headers;
    if (!isLoopback(host) || (origin !== undefined && origin !== `http://${host ?? ''}`)) {
      return fail(403, 'this address serves pages of its own only');
    }
    const path = base + (request.url ?? '/');
    const asked = ask({ method: request.method ?? 'GET', path, headers: forwarded(request.headers), body: request });
    asked.then(
      ({ status, headers, body }) => {
        response.writeHead(status, forwarded(headers));
        // a page that breaks is broken for the browser too, and one that it has left is not read on
        pipeline(body, response).catch(() => undefined);
      },
      (error: unknown) => fail(502, describeError(error)),
    );
  };
}

/** Headers of one hop, and what would tell the API server about the browser or replace our credentials. */
const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'authorization',
  'cookie',
  'set-cookie',
  'origin',
  'referer',
]);

function forwarded(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || NOT_FORWARDED.has(name) || /^(impersonate|x-remote)-/.test(name) ? [] : [[name, value]],
    ),
  );
}
