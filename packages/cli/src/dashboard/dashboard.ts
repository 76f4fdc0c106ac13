import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { userInfo } from 'node:os';
import { createAdaptorServer } from '@hono/node-server';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SQSClient } from '@aws-sdk/client-sqs';
import { readSchedules } from '../../../../lib/operate/schedule/aws-schedules.ts';
import { actionsOn, type Actions } from '../../../../lib/view/server/actions.ts';
import { localDoor } from '../../../../lib/view/server/door.ts';
import { generationChanges } from '../../../../lib/view/stream-diff.ts';
import { createApp } from '../../../../lib/view/server/app.ts';
import type { PageFiles, ViewPorts } from '../../../../lib/view/server/ports.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { openDeployments } from '../deployment-ledger.ts';
import { examine } from '../doctor/examine.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { openLedger, type LedgerReader } from '../ledger.ts';
import { partOf } from '../stack.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { listen, portOf, untilInterrupted } from '../terminal/loopback.ts';
import { readConfigFile } from '../install/config-file.ts';
import { sendMessage } from '../commands/runs/send-message.ts';

/** Where the bundle has the page, seen from the file that serves it. */
declare const FLINK_DISPATCH_PAGE: string | undefined;

/** Serves the page on a loopback port, with the rights of whoever runs it, until it is interrupted. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('dashboard takes no arguments');
  const port = portOf(valueOf(parsed, 'port'));
  const ports = await portsOf(io, parsed);
  const token = ports.actions === undefined ? undefined : randomBytes(32).toString('base64url');
  const door = localDoor(token, `${userInfo().username}, by flink-dispatch dashboard`);
  const server = createAdaptorServer({ fetch: createApp(ports, await pageFiles(), door).fetch }) as Server;
  const address = `http://127.0.0.1:${await listen(server, port)}/`;
  // What stands behind # is never sent: only who has this address can write.
  const url = token === undefined ? address : `${address}#token=${token}`;
  if (has(parsed, 'json')) printJson(io, { url, ledger: ports.ledger, actions: token !== undefined });
  else io.out(`${url}\n`);
  io.err(`Runs of the ledger ${ports.ledger}; ${token === undefined ? 'read-only; ' : ''}Ctrl-C ends it\n`);
  await untilInterrupted(io, server);
  return 0;
};

async function portsOf(io: Io, parsed: ParsedFlags): Promise<ViewPorts> {
  const ledger = await openLedger(io, parsed);
  const deployments = await openDeployments(io, parsed);
  const config = valueOf(parsed, 'config');
  const deployment = config === undefined ? undefined : readConfigFile(config).config;
  const group = await partOf(io, parsed, 'scheduleGroup');
  return {
    ledger: ledger.bucket,
    clock: io.clock,
    rows: (wish) => ledger.rows(wish),
    run: (named) => ledger.read(named),
    evidence: (runId, attempt, name) => ledger.evidence(runId, attempt, name),
    samples: (runId, attempt) => ledger.samples(runId, attempt),
    lock: ledger.lock,
    streams: () => deployments.all(true),
    stream: (named) => deployments.find(named),
    ...(deployment && { targets: () => examine(deployment, { io, probes: false }) }),
    changes: (record, generations) => generationChanges(record, generations, deployments.store),
    ...(group && { schedules: () => readSchedules(new SchedulerClient(), group) }),
    ...(has(parsed, 'allow-actions') && { actions: await actionsOf(io, parsed, ledger) }),
  };
}

async function actionsOf(io: Io, parsed: ParsedFlags, { orders }: LedgerReader): Promise<Actions> {
  const queue = await partOf(io, parsed, 'messageQueue');
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const send = (body: object, once: string) => sendMessage(sqs, queue ?? '', body, { group: 'flink-dispatch', once });
  return actionsOn(orders, queue === undefined ? undefined : send);
}

async function pageFiles(): Promise<PageFiles> {
  const folder = typeof FLINK_DISPATCH_PAGE === 'string' ? FLINK_DISPATCH_PAGE : '../../../../dist/page/';
  const read = (name: string): Promise<string> =>
    readFile(new URL(folder + name, import.meta.url), 'utf8').catch(() => {
      throw new UsageError('the page is not built: npm run build');
    });
  const [html, script, style] = await Promise.all(['page.html', 'page.js', 'page.css'].map(read));
  return { html: html ?? '', script: script ?? '', style: style ?? '' };
}
