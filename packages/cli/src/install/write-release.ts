import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withConfiguration, type Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';
import type { ConfigFile } from './config-file.ts';
import { checkParameters, stageOf, type DeployWish } from './deploy-release.ts';

type Wish = Pick<DeployWish, 'stack' | 'release' | 'parameters'> & { readonly config: ConfigFile | undefined };

/**
 * Writes what would be deployed, for whatever else deploys CloudFormation's templates: the template with the rights that the
 * configuration needs, and with what was said of its parameters as their defaults; the zips; the configuration.
 */
export function writeRelease(folder: string, wish: Wish): void {
  const { stack, release, config, parameters } = wish;
  checkParameters(wish);
  if (config === undefined) throw new UsageError('--to needs a configuration: --config FILE');
  const jarBucket = parameters['JarBucketName'];
  const template = withConfiguration(release.template, config.config, { stack, ...(jarBucket && { jarBucket }) });
  const written = withDefaults(template, { Stage: stageOf(stack), ...parameters });
  requireOwn(folder);
  for (const { name, bytes } of release.zips) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, 'dispatch.yml'), config.text);
  writeFileSync(join(folder, 'template.json'), `${JSON.stringify(written, undefined, 1)}\n`);
}

function withDefaults(template: Template, defaults: Readonly<Record<string, string>>): Template {
  const Parameters = Object.entries(template.Parameters).map(([name, parameter]) => {
    const Default = defaults[name] ?? parameter.Default;
    return [name, Default === undefined ? parameter : { ...parameter, Default }] as const;
  });
  return { ...template, Parameters: Object.fromEntries(Parameters) };
}

/** An empty folder, or one that this has written: nothing else is written over, and no zip of another release stays. */
function requireOwn(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder);
  const other = names.find((name) => !/^(?:\w+\.zip|template\.json|dispatch\.yml)$/.test(name));
  if (other !== undefined)
    throw new UsageError(`--to ${folder} has other files, such as ${other}: name a folder of its own`);
  for (const name of names.filter((one) => one.endsWith('.zip'))) rmSync(join(folder, name));
}
