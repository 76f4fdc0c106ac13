// Makes the release of the functions out of serverless.yml: a CloudFormation template and a zip for each function.
//   node --import tsx infra/release.ts      into dist/release, from where `flink-dispatch deploy` takes it
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { omit } from '../lib/core/omit.ts';
import type { Template } from '../lib/install/template.ts';
import { run } from './local/process.ts';

const PROJECT = join(import.meta.dirname, '..');
/** What osls reads beside serverless.yml, which it takes as a plain file only. */
const PARTS = ['package.json', 'tsconfig.json', 'node_modules', 'functions', 'lib', 'infra'];
const TEMPLATE = 'cloudformation-template-update-stack.json';

/** Writes the release into a folder, which it makes. Needs no AWS. @throws Error with the end of osls' output. */
export async function buildRelease(folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'flink-dispatch-release-'));
  try {
    const packaged = await osls(work);
    await mkdir(folder, { recursive: true });
    const zips = (await readdir(packaged)).filter((name) => name.endsWith('.zip')).sort();
    const hash = createHash('sha256');
    for (const name of zips) {
      const zip = await readFile(join(packaged, name));
      hash.update(name).update(zip);
      await writeFile(join(folder, name), zip);
    }
    const template = JSON.parse(await readFile(join(packaged, TEMPLATE), 'utf8')) as Template;
    const version = `${await productVersion()}-${hash.digest('hex').slice(0, 12)}`;
    await writeFile(join(folder, 'template.json'), JSON.stringify(released(template, version)));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The template names its own release; that it comes from osls and a bucket of osls is nobody's matter. */
function released(template: Template & { readonly Outputs?: Record<string, unknown> }, version: string): Template {
  const Outputs = omit(template.Outputs ?? {}, 'ServerlessDeploymentBucketName');
  const CodeVersion = { ...template.Parameters['CodeVersion'], Type: 'String', Default: version };
  return {
    ...template,
    ...{ Description: 'flink-dispatch: functions that run Apache Flink jobs on Kubernetes from events', Outputs },
    Parameters: { ...template.Parameters, CodeVersion },
  };
}

async function productVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}

/** In a folder of its own for what osls and esbuild write, so that two can be at work in one clone. Answers where the package is. */
async function osls(work: string): Promise<string> {
  await copyFile(join(PROJECT, 'serverless.yml'), join(work, 'serverless.yml'));
  await Promise.all(PARTS.map((part) => symlink(join(PROJECT, part), join(work, part))));
  const program = join(dirname(createRequire(import.meta.url).resolve('osls/package.json')), 'bin', 'serverless.js');
  const output = join(work, 'package');
  await run(process.execPath, [program, 'package', '--package', output], {
    folder: work,
    logFile: join(work, 'package.log'),
    // Without what would lead osls to an account.
    environment: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))),
  });
  return output;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(PROJECT, 'dist', 'release');
  await rm(folder, { recursive: true, force: true });
  await buildRelease(folder);
  process.stdout.write(`${folder}\n`);
}
