import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { parse } from 'yaml';

const PROJECT = join(import.meta.dirname, '..', '..');

/** serverless-esbuild's own settings, which esbuild does not know. */
const OF_THE_PLUGIN = ['exclude', 'outputFileExtension'];

export interface Bundle {
  readonly bytes: number;
  /** Names of packages with code in it. */
  readonly packages: ReadonlySet<string>;
  /** Of the AWS clients: `s3:PutObject`. */
  readonly commands: ReadonlySet<string>;
}

/** custom.esbuild of serverless.yml. */
function settings(): BuildOptions {
  const service = parse(readFileSync(join(PROJECT, 'serverless.yml'), 'utf8'), { logLevel: 'silent' }) as {
    readonly custom: { readonly esbuild: Readonly<Record<string, unknown>> };
  };
  const known = Object.entries(service.custom.esbuild).filter(([name]) => !OF_THE_PLUGIN.includes(name));
  return Object.fromEntries(known);
}

/** The bundle of a file of the project, made as that of a deployed function; `folder`, when given, gets it as `.mjs`. */
export async function bundleOf(entry: string, folder?: string, differently: BuildOptions = {}): Promise<Bundle> {
  const { metafile } = await build({
    ...settings(),
    absWorkingDir: PROJECT,
    entryPoints: [entry],
    outdir: folder === undefined ? 'unwritten' : join(folder, 'functions'),
    outExtension: { '.js': '.mjs' },
    write: folder !== undefined,
    ...differently,
    metafile: true,
  });
  return describeBundle(metafile);
}

function describeBundle({ outputs }: Metafile): Bundle {
  const all = Object.values(outputs);
  const files = all.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const commands = files.flatMap((file) => {
    const [, service, command] = /client-([a-z0-9-]+)\/dist-[a-z]+\/commands\/(\w+)Command\.js$/.exec(file) ?? [];
    return service === undefined || command === undefined ? [] : [`${service}:${command}`];
  });
  return {
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    packages: new Set(files.flatMap((file) => packageOf(file) ?? [])),
    commands: new Set(commands),
  };
}

function packageOf(file: string): string | undefined {
  return /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
}
