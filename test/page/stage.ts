import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { mockClient } from 'aws-sdk-client-mock';
import type { PageFiles } from '../../lib/view/server/ports.ts';
import { main } from '../../packages/cli/src/main.ts';
import { fakeIo } from '../../packages/cli/test/fake-io.ts';
import { serveS3 } from '../../packages/cli/test/runs/fake-ledger.ts';
import type { FakeS3 } from '../fakes/s3.ts';

const BUILDER: string = new URL('../../infra/page.mjs', import.meta.url).href;

async function build(): Promise<Record<string, string>> {
  return ((await import(BUILDER)) as { buildPage: () => Promise<Record<string, string>> }).buildPage();
}

/** The page as it is built, in the texts that a server has of it. */
export async function builtPage(): Promise<PageFiles> {
  const { 'page.html': html = '', 'page.js': script = '', 'page.css': style = '' } = await build();
  return { html, script, style };
}

export interface Stage {
  readonly url: string;
  /** The ledger that the page reads. */
  readonly s3: FakeS3;
  stop(): Promise<void>;
}

/** A schedule of the group `schedules`, of a job that was run by hand alone. */
const SCHEDULE = {
  Name: 'totals-hourly',
  Arn: 'arn:aws:scheduler:eu-central-1:111122223333:schedule/schedules/totals-hourly',
  ScheduleExpression: 'cron(0 * * * ? *)',
  ScheduleExpressionTimezone: 'Europe/Berlin',
  State: 'ENABLED' as const,
  Target: { Arn: 'x', RoleArn: 'x', Input: '{"job":"totals","timeZone":"Europe/Berlin"}' },
};

/** `flink-dispatch dashboard` on a ledger in memory, with the page as it is built. */
export async function startDashboard(from: FakeS3, ...flags: readonly string[]): Promise<Stage> {
  const folder = join(import.meta.dirname, '../../dist/page');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(await build())) writeFileSync(join(folder, name), text);
  const stub = mockClient(S3Client);
  const s3 = serveS3(stub);
  for (const path of from.keys('ledger/')) s3.store(path, from.text(path) ?? '');
  const scheduler = mockClient(SchedulerClient);
  scheduler.on(ListSchedulesCommand).resolves({ Schedules: [{ Name: SCHEDULE.Name }] });
  scheduler.on(GetScheduleCommand).resolves(SCHEDULE);
  const io = fakeIo();
  let command: Promise<number> | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    const out = (text: string): void => resolve((JSON.parse(text) as { url: string }).url);
    command = main(
      ['dashboard', '--ledger', 'ledger', '--group', 'schedules', '--json', ...flags],
      { ...io, out },
      '1',
    );
    command.then(() => reject(new Error(io.stderr())), reject);
  });
  return {
    url,
    s3,
    async stop() {
      io.interrupt();
      await command;
      stub.restore();
      scheduler.restore();
    },
  };
}
