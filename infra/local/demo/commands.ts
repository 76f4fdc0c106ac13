import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { joinSession } from './session.ts';

/** Answers the line to print. */
export type Command = (args: readonly string[]) => Promise<string>;

/** What can be done with a demo that stays up, without the AWS command line. */
export const COMMANDS: Readonly<Record<string, Command>> = { upload, send };

async function upload([file, spec]: readonly string[]): Promise<string> {
  if (file === undefined) throw new Error('usage: npm run -s demo -- upload FILE.jar [job.yaml]');
  const { client, deployment } = await joinSession();
  const bucket = deployment.jarBucket;
  const key = basename(file);
  if (spec !== undefined) await client.put(bucket, `${key}.job.yaml`, await readFile(spec));
  const version = await client.put(bucket, key, await readFile(file));
  client.close();
  return `s3://${bucket}/${key} version ${version}`;
}

async function send([body]: readonly string[]): Promise<string> {
  if (body === undefined) throw new Error('usage: npm run -s demo -- send JSON');
  const { client } = await joinSession();
  const id = await client.send('messages', body);
  client.close();
  return `message ${id}`;
}
