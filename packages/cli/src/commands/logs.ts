import * as z from 'zod';
import { defined } from '../../../../lib/core/defined.ts';
import { describeError, DispatchError } from '../../../../lib/core/errors.ts';
import { parseBody, readBody } from '../../../../lib/http/body.ts';
import { createHttp, type HttpResponse } from '../../../../lib/http/http.ts';
import { createObjectClient } from '../../../../lib/kubernetes/api/client.ts';
import { openApi } from '../../../../lib/kubernetes/api/https-api.ts';
import { objectPath, selectorOf } from '../../../../lib/kubernetes/api/kinds.ts';
import { statusError, statusIn } from '../../../../lib/kubernetes/api/status-error.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect, type Kubernetes } from '../clusters/connect.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { printJson, type Io } from '../terminal/io.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import { selectCluster } from '../flags/select.ts';
import { readSettings } from '../flags/settings.ts';
import { UsageError } from '../flags/usage.ts';

const MAIN_CONTAINER = 'flink-main-container';
/** Bytes of an answer that is no log. */
const MAX_REFUSAL = 1024 * 1024;

const Pod = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()), creationTimestamp: z.string() }),
  spec: z.object({ containers: z.array(z.object({ name: z.string() })) }),
});
type Pod = z.infer<typeof Pod>;

/** Logs as Kubernetes keeps them, of the JobManager or of the TaskManagers; of a run as its ledger does. */
export const execute: Execute = async (io, parsed) => {
  const query = logQuery(parsed);
  const run = valueOf(parsed, 'run');
  const live = run === undefined ? undefined : await (await import('./runs/logs.ts')).runLogs(io, parsed, run);
  if (run !== undefined && live === undefined) return 0;
  const settings = readSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const cluster = live ?? (await selectCluster(kubernetes, settings, parsed.args[0]));
  const pods = await selectPods(kubernetes, cluster, parsed);
  const texts = await Promise.all(
    pods.map((pod) => printLog(io, kubernetes, { cluster, pod, query, parsed, many: pods.length > 1 })),
  );
  if (has(parsed, 'json'))
    printJson(
      io,
      pods.map((pod, index) => ({ pod: pod.metadata.name, log: texts[index] })),
    );
  return 0;
};

function logQuery(parsed: ParsedFlags): URLSearchParams {
  const tail = valueOf(parsed, 'tail');
  if (tail !== undefined && !/^\d+$/.test(tail)) throw new UsageError(`--tail ${tail}: must be a number of lines`);
  if (has(parsed, 'json') && has(parsed, 'follow')) throw new UsageError('--json and --follow do not go together');
  return new URLSearchParams({
    ...defined({ tailLines: tail }),
    ...(has(parsed, 'follow') && { follow: 'true' }),
    ...(has(parsed, 'previous') && { previous: 'true' }),
  });
}

async function selectPods(kubernetes: Kubernetes, cluster: ClusterRef, parsed: ParsedFlags): Promise<Pod[]> {
  const { namespace } = cluster;
  const listed = await createObjectClient(kubernetes.api).list('Pod', namespace, {
    labelSelector: selectorOf(cluster),
  });
  const all = listed.map((pod) => Pod.parse(pod));
  const name = valueOf(parsed, 'pod');
  const component = has(parsed, 'taskmanagers') ? 'taskmanager' : 'jobmanager';
  const found = all
    .filter(({ metadata }) =>
      name === undefined ? metadata.labels['component'] === component : metadata.name === name,
    )
    .sort((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
  if (found.length > 0) return name === undefined && component === 'jobmanager' ? found.slice(0, 1) : found;
  const pods = all.map(({ metadata }) => metadata.name).join(', ') || 'none';
  throw new UsageError(
    `cluster ${cluster.clusterId} has no ${name === undefined ? component : `pod ${name}`}; its pods: ${pods}`,
  );
}

interface LogRequest {
  readonly cluster: ClusterRef;
  readonly pod: Pod;
  readonly query: URLSearchParams;
  readonly parsed: ParsedFlags;
  readonly many: boolean;
}

async function printLog(
  io: Io,
  kubernetes: Kubernetes,
  { cluster, pod, query, parsed, many }: LogRequest,
): Promise<string> {
  const { name } = pod.metadata;
  const container =
    pod.spec.containers.find((one) => one.name === MAIN_CONTAINER)?.name ?? pod.spec.containers[0]?.name ?? '';
  const parameters = new URLSearchParams([...query, ['container', container]]);
  const path = `${objectPath('Pod', cluster.namespace, name)}/log?${parameters.toString()}`;
  const ask = openApi(kubernetes.connection, createHttp());
  const answer = await ask({ method: 'GET', path, signal: io.interrupted });
  if (answer.status !== 200) throw await logError(answer, cluster, name);
  const kept: string[] = [];
  const prefix = many ? `[${name}] ` : '';
  const keep = has(parsed, 'json') ? (text: string) => void kept.push(text) : (text: string) => io.out(text);
  await lines(answer, (line) => keep(`${prefix}${line}\n`)).catch((error: unknown) => {
    if (!io.interrupted.aborted) throw cutOff(name, error);
  });
  return kept.join('');
}

async function lines({ body }: HttpResponse, each: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) each(part);
  }
  rest += decoder.decode();
  if (rest !== '') each(rest);
}

function cutOff(pod: string, cause: unknown): Error {
  const message = `the log of ${pod} was cut off: ${describeError(cause)}; run the command again for the rest`;
  return new DispatchError('ClusterUnavailable', message, { cause });
}

/** 400 is how the API server says that there is no such log: the container waits, or was never restarted. */
async function logError(answer: HttpResponse, { namespace }: ClusterRef, pod: string): Promise<Error> {
  const text = await readBody(answer.body, MAX_REFUSAL);
  const response = { status: answer.status, body: parseBody(answer.headers['content-type'], text) };
  if (response.status === 400) return new UsageError(`log of ${pod}: ${statusIn(response.body)?.message ?? text}`);
  return statusError(response, { verb: 'read the log of', resource: `pods/${pod}`, namespace });
}
