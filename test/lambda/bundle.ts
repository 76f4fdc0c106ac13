import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { FUNCTION_OPTIONS, optionsOf } from '../../infra/bundling.mjs';

export interface Bundle {
  readonly bytes: number;
  /** Names of packages with code in it. */
  readonly packages: ReadonlySet<string>;
  /** Of the AWS clients: `s3:PutObject`. */
  readonly commands: ReadonlySet<string>;
}

/** The bundle of a file of the project, made as that of a deployed function; `folder`, when given, gets it as `.mjs`. */
export async function bundleOf(entry: string, folder?: string, differently: BuildOptions = {}): Promise<Bundle> {
  const { metafile } = await build({
    ...FUNCTION_OPTIONS,
    ...(await optionsOf(entry)),
    entryPoints: [entry],
    outdir: folder === undefined ? 'functions' : join(folder, 'functions'),
    write: folder !== undefined,
    ...differently,
    metafile: true,
  });
  return describeBundle(metafile);
}

function describeBundle({ outputs }: Metafile): Bundle {
  const all = Object.entries(outputs).flatMap(([file, output]) => (file.endsWith('.map') ? [] : [output]));
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
