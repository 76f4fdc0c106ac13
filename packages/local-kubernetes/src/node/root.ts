import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Image } from './images.ts';

/**
 * The image's entry point: publishes the built-in plugins that are asked for, then becomes the component that the first
 * word names, or else the command itself.
 */
const ENTRYPOINT = `#!/usr/bin/env bash
set -e
for jar in \${ENABLE_BUILT_IN_PLUGINS//;/ }; do
  mkdir -p "$FLINK_HOME/plugins/\${jar%.jar}"
  ln -sf "$FLINK_HOME/opt/$jar" "$FLINK_HOME/plugins/\${jar%.jar}/$jar"
done
case "\${1:-}" in
  standalone-job | jobmanager | taskmanager) exec "$FLINK_HOME/bin/$1.sh" start-foreground "\${@:2}" ;;
  history-server) exec "$FLINK_HOME/bin/historyserver.sh" start-foreground "\${@:2}" ;;
esac
exec "$@"
`;

export const ENTRYPOINT_PATH = '/docker-entrypoint.sh';
export const FLINK_HOME = '/opt/flink';

/** Folders of the distribution in which a pod may add or replace files: real folders with links in them. */
const OWN = ['lib', 'opt', 'plugins', 'usrlib', 'examples', 'examples/streaming'];
const LINKED = ['bin', 'licenses'];

async function linkEntries(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  if (!existsSync(from)) return;
  for (const entry of await readdir(from)) {
    if (!OWN.includes(`${basename(from)}/${entry}`)) await symlink(join(from, entry), join(to, entry));
  }
}

/** Lays out what a pod finds at /opt/flink: the distribution by links, and its own conf, log and plugins. */
async function layOutFlink(root: string, flinkHome: string): Promise<void> {
  const home = join(root, FLINK_HOME);
  await mkdir(join(home, 'log'), { recursive: true });
  await mkdir(join(home, 'artifacts'));
  for (const folder of OWN) await linkEntries(join(flinkHome, folder), join(home, folder));
  for (const folder of LINKED) {
    if (existsSync(join(flinkHome, folder))) await symlink(join(flinkHome, folder), join(home, folder));
  }
  await cp(join(flinkHome, 'conf'), join(home, 'conf'), { recursive: true });
  await writeFile(join(root, ENTRYPOINT_PATH), ENTRYPOINT, { mode: 0o755 });
}

/** Makes an image's files in a pod's root. */
export async function layOutImage(root: string, image: Image): Promise<void> {
  if (image.flinkHome !== undefined) await layOutFlink(root, image.flinkHome);
  for (const [path, source] of Object.entries(image.files ?? {})) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    await symlink(source, target);
  }
}
