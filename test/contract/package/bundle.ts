import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';

const PROJECT = join(import.meta.dirname, '..', '..', '..');

/** serverless-esbuild's own settings, which esbuild does not know. */
const OF_THE_PLUGIN = ['exclude', 'outputFileExtension'];

export interface Bundle {
  readonly bytes: number;
  /** Names of packages with code in it. */
  readonly packages: ReadonlySet<string>;
  /** Of the AWS clients: `s3:PutObject`. */
  readonly commands: ReadonlySet<string>;
}

/** A function's bundle, made with the settings of serverless.yml (custom.esbuild). */
export async function bundleOf(entry: string, settings: Readonly<Record<string, unknown>>): Promise<Bundle> {
  const known = Object.entries(settings).filter(([name]) => !OF_THE_PLUGIN.includes(name));
  const { metafile } = await build({
    ...(Object.fromEntries(known) as BuildOptions),
    absWorkingDir: PROJECT,
    entryPoints: [entry],
    outdir: 'unwritten',
    write: false,
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
