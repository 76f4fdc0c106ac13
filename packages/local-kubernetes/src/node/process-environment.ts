import { delimiter, join } from 'node:path';
import type { Pod } from '../objects.ts';
import type { Image } from './images.ts';
import type { PodPaths } from './pod-paths.ts';
import { FLINK_HOME } from './root.ts';

/** Where a command starts when it names no folder. */
export const WORK_FOLDERS = { flink: FLINK_HOME, host: '/' };

/** Variables of this machine that a pod needs to run its programs; no other leaks into it. */
const INHERITED = ['JAVA_HOME', 'LANG', 'LC_ALL', 'TZ'];

/**
 * A pod's JVMs keep their files inside its folder, compile lightly (short jobs on few cores start faster), and leave
 * no shared memory file behind. Heap sizes stay as asked for: what is not touched takes no memory.
 */
function jvmArguments(paths: PodPaths): string {
  return `-Djava.io.tmpdir=${paths.at('/tmp')} -XX:-UsePerfData -XX:TieredStopAtLevel=1`;
}

/** The variables of a container's process: the image's, then the container's own (paths mapped already). */
export function processEnvironment(
  pod: Pod,
  paths: PodPaths,
  image: Image,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const result: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: paths.at('/tmp'),
    TMPDIR: paths.at('/tmp'),
    USER: 'flink',
    HOSTNAME: pod.metadata.name,
    KUBECONFIG: join(paths.home, 'kubeconfig'),
  };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) result[name] = value;
  }
  if (image.javaHome !== undefined) result['JAVA_HOME'] = image.javaHome;
  if (image.flinkHome !== undefined) {
    const home = paths.at(FLINK_HOME);
    result['FLINK_HOME'] = home;
    result['_FLINK_HOME_DETERMINED'] = 'true';
    result['FLINK_CONF_DIR'] = join(home, 'conf');
    result['FLINK_PID_DIR'] = paths.at('/tmp');
    result['PATH'] = `${join(home, 'bin')}${delimiter}${result['PATH'] ?? ''}`;
  }
  Object.assign(result, own);
  if (image.flinkHome !== undefined) result['JVM_ARGS'] = `${jvmArguments(paths)} ${own['JVM_ARGS'] ?? ''}`.trim();
  return result;
}
