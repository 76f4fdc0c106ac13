import { DOWNLOAD } from '../download-script.ts';

/**
 * The sum of what an archive holds for, as far as the JVM does not compare it: it looks at its own version and at times and
 * sizes of the jars, which two images with reproducible files may share. A jar ends with its directory, which has a checksum
 * of every class: the end of it tells as much as all of it, in a tenth of the time. For sh and bash.
 */
export const SUM_OF_CLASS_PATH = `sum_of_class_path() {
  {
    cat "\${JAVA_HOME:-/}/release"
    find "\${FLINK_HOME:-/opt/flink}/lib" ! -type d -name '*.jar' -print0 | sort -z | xargs -0 -n 1 tail -c 8388608
  } 2> /dev/null | sha256sum | cut -d ' ' -f 1
}`;

/** Seconds that an archive may take: a start with none takes less than one that waits for it. */
const PATIENCE = 20;

/**
 * For an init container: whatever happens, it ends well, and there are archives that are whole, or none: that of Flink and,
 * where there is one, that of the JVM of its scripts. Its argument is the script that downloads and compares the sum.
 */
const FETCH = `${SUM_OF_CLASS_PATH}
none() {
  rm -f "\${JAR_FILE%/*}"/*
  [ ! -w /dev/termination-log ] || printf '%s' "$1" > /dev/termination-log
  exit 0
}
if [ -n "$CLASS_PATH_SUM" ] && [ "$(sum_of_class_path)" != "$CLASS_PATH_SUM" ]; then
  none 'no class archive: it was recorded with another JVM or other jars'
fi
limit=
command -v timeout > /dev/null 2>&1 && limit='timeout ${PATIENCE}'
$limit /bin/sh -c "$0" || none "no class archive: $(cat /dev/termination-log 2> /dev/null)"
cd "\${JAR_FILE%/*}" && tar -xf "$JAR_FILE" flink.jsa scripts.jsa || none 'no class archive: it cannot be unpacked'
rm -f "$JAR_FILE"
[ -s scripts.jsa ] || rm -f scripts.jsa
exit 0
`;

export const FETCH_COMMAND: readonly string[] = ['/bin/sh', '-c', FETCH, DOWNLOAD];
