import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ACCOUNT, REGION } from '../../../infra/local/aws/ministack.ts';
import type { Stack } from '../../../infra/local/stack.ts';
import { runIdOfAgain } from '../../../lib/operate/again-id.ts';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { AgainKind, OrderKind } from '../../../lib/trigger/order.ts';

const PROJECT = join(import.meta.dirname, '../../..');

/** What a run is said to be: its state, and of one that has ended the reason. */
export interface Seen {
  readonly state: string;
  readonly reason?: string;
}

/** One way to operate runs of a deployment. Ways that cannot read leave the reads to others. */
export interface Way {
  /** Answers the run's id. */
  start(message: object): Promise<string>;
  order(kind: OrderKind, runId: string): Promise<void>;
  /** Answers the new run's id. */
  again(kind: AgainKind, runId: string): Promise<string>;
  readonly reads?: {
    get(runId: string): Promise<Seen>;
    /** Waits for the outcome. */
    wait(runId: string): Promise<Seen>;
    /** Ids of runs of that name, the newest first. */
    list(name: string): Promise<readonly string[]>;
    events(runId: string): Promise<readonly string[]>;
    log(runId: string): Promise<string>;
  };
}

async function runOfKey(stack: Stack, key: string): Promise<string> {
  const fits = ({ data: { request } }: LifecycleEvent): boolean =>
    request.kind === 'message' && request.idempotencyKey === key;
  return (await stack.nextEvent(fits)).event.subject;
}

/** The messages of the job queue, and nothing that is answered. */
export function byMessage(stack: Stack): Way {
  return {
    async start(message) {
      const idempotencyKey = randomUUID();
      await stack.send({ ...message, idempotencyKey });
      return runOfKey(stack, idempotencyKey);
    },
    async order(kind, runId) {
      await stack.send({ [`${kind}Run`]: runId });
    },
    async again(kind, runId) {
      const idempotencyKey = randomUUID();
      const record = await stack.client.record(runId);
      if (record === undefined) throw new Error(`there is no run ${runId}`);
      await stack.send({ [`${kind}Run`]: runId, idempotencyKey });
      return runIdOfAgain(kind, record, idempotencyKey);
    },
  };
}

const PATHS: Readonly<Record<OrderKind, readonly [method: string, path: string]>> = {
  cancel: ['DELETE', ''],
  stop: ['POST', '/stop'],
  savepoint: ['POST', '/savepoint'],
};

/** The function behind the URL, called as Lambda calls it once IAM has let the caller pass: the local AWS has no such hosts. */
export function byHttp(stack: Stack): Way & Required<Pick<Way, 'reads'>> {
  const ask = <T>(method: string, path: string, body?: object): Promise<T> =>
    httpCall(stack, method, path, body).then(({ content }) => content as T);
  const started = async (path: string, body?: object): Promise<string> =>
    (await ask<{ runId: string }>('POST', path, body)).runId;
  return {
    start: (message) => started('/runs', message),
    async order(kind, runId) {
      const [method, path] = PATHS[kind];
      await ask(method, `/runs/${runId}${path}`);
    },
    again: (kind, runId) => started(`/runs/${runId}/${kind}`),
    reads: {
      get: (runId) => ask<View>('GET', `/runs/${runId}`).then(seenIn),
      async wait(runId) {
        for (;;) {
          const view = await ask<View>('GET', `/runs/${runId}?wait=20s`);
          if (view.outcome !== undefined) return seenIn(view);
        }
      },
      list: (name) =>
        ask<{ runs: { runId: string }[] }>('GET', `/runs?name=${name}`).then(({ runs }) =>
          runs.map((run) => run.runId),
        ),
      events: (runId) =>
        ask<{ data: { state: string } }[]>('GET', `/runs/${runId}/events`).then((all) =>
          all.map(({ data }) => data.state),
        ),
      log: (runId) => ask<string>('GET', `/runs/${runId}/logs`),
    },
  };
}

interface View {
  readonly state: string;
  readonly outcome?: Required<Seen>;
}

function seenIn({ state, outcome }: View): Seen {
  return outcome === undefined ? { state } : { state: outcome.state, reason: outcome.reason };
}

/** @throws Error for an answer that is a problem */
async function httpCall(stack: Stack, method: string, target: string, body?: object) {
  const { status, content } = await httpAnswer(stack, method, target, body);
  if (status >= 400) throw new Error(`${method} ${target}: ${status} ${JSON.stringify(content)}`);
  return { status, content };
}

export async function httpAnswer(stack: Stack, method: string, target: string, body?: object) {
  const [rawPath = '', rawQueryString = ''] = target.split('?');
  const event = {
    version: '2.0',
    ...{ rawPath, rawQueryString, headers: {}, isBase64Encoded: false, body: JSON.stringify(body ?? '') },
    requestContext: { http: { method }, authorizer: { iam: { userArn: `arn:aws:iam::${ACCOUNT}:user/operator` } } },
  };
  const path = `/2015-03-31/functions/${stack.deployment.stackName}-on-http/invocations`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20260101/${REGION}/lambda/aws4_request`;
  const answer = await fetch(stack.aws.url + path, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(event),
  });
  const { statusCode = 0, body: text = '' } = (await answer.json()) as { statusCode?: number; body?: string };
  const isJson = /^[{[]/.test(text);
  return { status: statusCode, content: isJson ? (JSON.parse(text) as unknown) : text };
}

/** The command line, with AWS rights alone. */
export function byCommandLine(stack: Stack): Way & Required<Pick<Way, 'reads'>> {
  const run = (...args: string[]): Promise<string> => cli(stack, args);
  const rows = (text: string): readonly string[] => text.trim().split('\n');
  return {
    async start(message) {
      const { runJob = '' } = message as { runJob?: string };
      return (await run('runs', 'start', '--job', runJob)).trim();
    },
    async order(kind, runId) {
      await run('runs', kind, runId);
    },
    again: async (kind, runId) => (await run('runs', kind, runId)).trim(),
    reads: {
      get: (runId) => run('runs', 'show', runId, '--json').then((text) => seenIn(JSON.parse(text) as View)),
      wait: (runId) => run('runs', 'wait', runId, '--json').then((text) => seenIn(JSON.parse(text) as View)),
      list: (name) => run('runs', 'list', '--name', name, '-o', 'name').then(rows),
      events: async (runId) =>
        rows(await run('events', 'tail', runId, '--json')).map((line) => (JSON.parse(line) as { state: string }).state),
      log: (runId) => run('logs', '--run', runId),
    },
  };
}

function cli(stack: Stack, args: readonly string[]): Promise<string> {
  const env = { ...stack.aws.environment, PATH: process.env['PATH'], FLINK_DISPATCH_STACK: stack.deployment.stackName };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(PROJECT, 'infra/cli.mjs'), ...args], { env }, (error, out, said) => {
      // An outcome that is none of success has an exit code of its own.
      if (error === null || (out !== '' && typeof error.code === 'number' && error.code > 1)) resolve(out);
      else reject(new Error(`flink-dispatch ${args.join(' ')}: ${out}${said}`, { cause: error }));
    });
  });
}
