import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { javaTool } from '../../infra/local/flink/tools.ts';
import { LAB } from '../cluster/support/lab.ts';

const execute = promisify(execFile);

export type Step = 'begin' | 'work' | 'finish';

/** What a job itself says of what it does: the one account that passes through no part of the product. */
export interface Testimony {
  readonly who: string;
  /** The pod. */
  readonly where: string;
  readonly step: Step;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface Witness {
  readonly url: string;
  readonly testimonies: readonly Testimony[];
  stop(): Promise<void>;
}

/** Where the jobs of Witness.java tell their steps. */
export async function startWitness(host: string): Promise<Witness> {
  const testimonies: Testimony[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://witness');
    const [who, where, step] = ['who', 'where', 'step'].map((name) => searchParams.get(name) ?? '');
    testimonies.push({ who: who ?? '', where: where ?? '', step: step as Step, at: Date.now() });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    testimonies,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Compiles Witness.java against that Flink; answers the jar. */
export async function buildWitness(version: string, parent: string): Promise<string> {
  const folder = join(parent, `witness-${version}`);
  await mkdir(folder, { recursive: true });
  const lib = join(LAB, 'flink', version, 'lib');
  const dist = (await readdir(lib)).find((jar) => jar.startsWith('flink-dist'));
  if (dist === undefined) throw new Error(`${lib} has no flink-dist*.jar`);
  const classes = join(folder, 'classes');
  const source = join(import.meta.dirname, 'Witness.java');
  await execute(javaTool('javac'), [
    '--release',
    '11',
    '-nowarn',
    '-classpath',
    join(lib, dist),
    '-d',
    classes,
    source,
  ]);
  const jar = join(folder, 'witness.jar');
  const main = ['--main-class', 'dispatch.chaos.Witness'];
  await execute(javaTool('jar'), ['--create', '--file', jar, ...main, '-C', classes, '.']);
  return jar;
}
