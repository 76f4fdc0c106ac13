/*
 * How fast the functions start: bundle size, and the time that AWS' own runtime client needs until it asks for work, for
 * every function beside an empty one, an empty one with the same AWS clients, and a naive bundle of the same function
 * (`import *` of the Kubernetes client, zod with all its locales, nothing left out).
 *   npm run bench:start [-- --rounds 15] [-- --runtime nodejs24.x]
 * Rounds are interleaved; figures are medians. `cpu` is the processor's time, which a busy machine does not change much;
 * the ratio is of it. Ends with one line of JSON.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleOf, type Bundle } from '../lambda/bundle.ts';
import { lambdaRuntime, RUNTIMES } from '../lambda/runtimes.ts';
import { startSandbox } from '../lambda/sandbox.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const FUNCTIONS = {
  'on-jar-upload': 1.2,
  'on-message': 1.2,
  'on-schedule': 1.2,
  'advance-run': 1.6,
  'sweep-runs': 1.6,
};

/** What functions are compared with is one minified file, with nothing left out. */
const AS_USUAL = { alias: {}, splitting: false };

const CLIENTS: Readonly<Record<string, string>> = {
  s3: 'S3Client',
  sqs: 'SQSClient',
  sns: 'SNSClient',
  eventbridge: 'EventBridgeClient',
  'secrets-manager': 'SecretsManagerClient',
  ecr: 'ECRClient',
};

interface Variant {
  readonly handler: string;
  readonly bytes: number;
  readonly wall: number[];
  readonly cpu: number[];
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, runtime: { type: 'string', default: 'nodejs24.x' } },
});
const runtimeName = RUNTIMES.find((name) => name === values.runtime);
if (runtimeName === undefined) throw new Error(`--runtime is one of ${RUNTIMES.join(', ')}`);
const runtime = await lambdaRuntime(runtimeName);
const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
// Inside of the project, so that the modules which they import are found.
const sources = mkdtempSync(join(PROJECT, '.bench-start-'));
try {
  const variants = await makeVariants();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const variant of Object.values(variants)) await measure(variant);
  }
  report(variants);
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(sources, { recursive: true, force: true });
}

async function makeVariants(): Promise<Record<string, Variant>> {
  const variants: Record<string, Variant> = {
    empty: await variantOf('empty', 'export const handler = async () => {};'),
  };
  for (const name of Object.keys(FUNCTIONS)) {
    const bundle = await bundleOf(`functions/${name}.ts`, join(folder, name));
    variants[name] = variant(name, bundle);
    variants[`${name}: clients`] = await variantOf(`${name}-clients`, clientsOf(bundle), AS_USUAL);
    variants[`${name}: naive`] = await variantOf(`${name}-naive`, naive(name), AS_USUAL);
  }
  return variants;
}

async function variantOf(name: string, source: string, differently = {}): Promise<Variant> {
  mkdirSync(sources, { recursive: true });
  const file = join(sources, `${name}.ts`);
  writeFileSync(file, source);
  return variant(name, await bundleOf(file, join(folder, name), differently));
}

function variant(name: string, { bytes }: Bundle): Variant {
  return { handler: name, bytes, wall: [], cpu: [] };
}

/** The same clients and commands, made as the function makes them. */
function clientsOf({ commands }: Bundle): string {
  const services = Object.entries(CLIENTS).filter(([service]) =>
    [...commands].some((one) => one.startsWith(`${service}:`)),
  );
  const lines = services.map(([service, client]) => {
    const own = [...commands].flatMap((one) =>
      one.startsWith(`${service}:`) ? [`${one.split(':')[1] ?? ''}Command`] : [],
    );
    return `import { ${[client, ...own.filter((one) => one !== 'CreateSessionCommand')].join(', ')} } from '@aws-sdk/client-${service}';`;
  });
  const used = [...lines.join('\n').matchAll(/\b(\w+(?:Client|Command))\b/g)].map(([, name = '']) => name);
  const clients = services.map(([, client]) => `new ${client}()`);
  return `${lines.join('\n')}
const clients = [${clients.join(', ')}];
export const handler = async () => [clients, ${[...new Set(used)].join(', ')}].length;`;
}

function naive(name: string): string {
  return `import * as kubernetes from '@kubernetes/client-node';
import { z } from 'zod';
export { handler } from '${join(PROJECT, 'functions', name)}.ts';
export const all = { kubernetes, z };`;
}

async function measure({ handler, wall, cpu }: Variant): Promise<void> {
  const sandbox = await startSandbox({
    runtime,
    folder: join(folder, handler),
    handler: `functions/${handler}.handler`,
  });
  wall.push(sandbox.initMs);
  cpu.push(sandbox.initCpuMs);
  await sandbox.stop();
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return Math.round(((low + high) / 2) * 10) / 10;
}

function report(variants: Record<string, Variant>): void {
  const figures = (name: string) => {
    const { bytes, wall, cpu } = variants[name] ?? { bytes: 0, wall: [], cpu: [] };
    return { kb: Math.round(bytes / 1024), wall: median(wall), cpu: median(cpu) };
  };
  const results = Object.entries(FUNCTIONS).map(([name, goal]) => {
    const own = figures(name);
    const clients = figures(`${name}: clients`);
    const naively = figures(`${name}: naive`);
    const ratio = Math.round((own.cpu / clients.cpu) * 100) / 100;
    return { name, own, clients, naive: naively, ratio, goal, met: ratio <= goal };
  });
  const empty = figures('empty');
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(15) : String(cell).padStart(10))).join('');
  console.log(`${runtime.name}, aws-lambda-ric ${runtime.clientVersion}, ${values.rounds} rounds; ms, medians`);
  console.log(line(['', 'KB', 'init', 'cpu', 'clients', 'naive KB', 'naive', 'ratio', 'goal']));
  console.log(line(['empty', empty.kb, empty.wall, empty.cpu]));
  for (const { name, own, clients, naive: other, ratio, goal } of results) {
    console.log(line([name, own.kb, own.wall, own.cpu, clients.cpu, other.kb, other.cpu, ratio, goal]));
  }
  console.log(
    JSON.stringify({ bench: 'start', runtime: runtime.name, rounds: Number(values.rounds), empty, functions: results }),
  );
}
