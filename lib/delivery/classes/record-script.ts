import { SUM_OF_CLASS_PATH } from './fetch-script.ts';

/**
 * For bash, in the image whose classes are recorded: starts a JobManager and a TaskManager by Flink's own scripts and runs
 * the image's WordCount, if it has one; then starts a native JobManager until it asks Kubernetes for a TaskManager. What
 * their JVMs have loaded is dumped by the same JVM for the same class path. Both files are uploaded, the report last. Then
 * it waits: whoever made the pod removes it.
 */
export const RECORD = `set -u
home=\${FLINK_HOME:-/opt/flink}
work=$(mktemp -d) && cd "$work" || exit 1
${SUM_OF_CLASS_PATH}
upload() {
  curl --silent --show-error --fail --connect-timeout 10 --retry 4 --retry-connrefused --upload-file "$1" "$2" >&2
}
failed() {
  printf '%s\\n' "$1" >&2
  printf '{"error":"%s"}' "$(printf '%s' "$1" | tr -d '"\\\\\\n' | cut -c 1-900)" > report
  upload report "$REPORT_URL"
  exec sleep infinity
}
within() { # SECONDS COMMAND…
  local left=$1
  shift
  until "$@" > /dev/null 2>&1; do
    ((left-- > 0)) || return 1
    sleep 1
  done
}
recorded() { # NAME SCRIPT ARGUMENT…
  JVM_ARGS="-XX:DumpLoadedClassList=$work/$1.classes -Xlog:class+load=debug:file=$work/$1.load:none" "$home/bin/$2" "\${@:3}" > "$1.log" 2>&1 &
}
rest() {
  curl --silent --fail --max-time 10 "http://127.0.0.1:8081$1" "\${@:2}"
}
ended() {
  kill "$@" 2> /dev/null
  wait "$@" 2> /dev/null
}
command -v curl > /dev/null || { echo 'the image has no curl' >&2; exec sleep infinity; }
mkdir conf
cp "$home"/conf/log4j-console.properties "$home"/conf/logback-console.xml conf 2> /dev/null
cat > conf/config.yaml << YAML
env.java.opts.all: $JAVA_OPTIONS
jobmanager.rpc.address: 127.0.0.1
jobmanager.memory.process.size: 1000m
taskmanager.memory.process.size: 1000m
taskmanager.numberOfTaskSlots: 1
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
web.upload.dir: $work
YAML
export FLINK_CONF_DIR=$work/conf FLINK_LOG_DIR=$work FLINK_PID_DIR=$work
recorded jobmanager jobmanager.sh start-foreground
jobmanager=$!
recorded taskmanager taskmanager.sh start-foreground -D taskmanager.host=127.0.0.1
taskmanager=$!
registered() { rest /taskmanagers | grep -q '"id"'; }
within 300 registered || failed "no TaskManager has registered: $(tail -n 1 jobmanager.log)"
java=$(readlink "/proc/$jobmanager/exe")
class_path=$(tr '\\0' '\\n' < "/proc/$jobmanager/cmdline" | grep -A 1 -x -e -classpath | tail -n 1)
[ -n "$class_path" ] || failed 'the JobManager has no class path'
for jar in "$home"/examples/streaming/WordCount.jar "$home"/usrlib/WordCount.jar; do
  [ -f "$jar" ] || continue
  id=$(rest /jars/upload -F "jarfile=@$jar" | sed -n 's#.*flink-web-upload/\\([^"]*\\)".*#\\1#p')
  rest "/jars/$id/run" -X POST -H 'Content-Type: application/json' -d '{}' > /dev/null
  finished() { rest /jobs/overview | grep -q '"state":"FINISHED"'; }
  within 60 finished || echo 'the example has not finished' >&2
  break
done
cp "$(ls -t "\${TMPDIR:-/tmp}"/flink-rpc-*.jar 2> /dev/null | head -n 1)" rpc.jar
for path in /jobs/overview /config /overview /taskmanagers; do rest "$path" > /dev/null; done
ended "$taskmanager" "$jobmanager"
if [ -n "\${KUBERNETES_SERVICE_HOST:-}" ]; then
  recorded native kubernetes-jobmanager.sh kubernetes-session -D "kubernetes.cluster-id=$CLUSTER_ID" \\
    -D "kubernetes.namespace=$NAMESPACE" -D "kubernetes.container.image.ref=$IMAGE" \\
    -D "kubernetes.service-account=$SERVICE_ACCOUNT" -D taskmanager.rpc.port=6122 \\
    -D kubernetes.taskmanager.cpu.amount=0.1 -D slotmanager.number-of-slots.min=1
  native=$!
  requested() { ! kill -0 "$native" || grep -q 'Creating new TaskManager pod\\|ERROR' native.log; }
  within 60 requested && sleep 3
  ended "$native"
fi
cat ./*.classes | grep -v -e '^#' -e 'source:' | awk '!seen[$0]++' > builtin.list
# Flink loads Pekko and Scala, a quarter of its classes, by a class loader of its own from a copy of a jar. A JVM finds them in an
# archive by their bytes; the list has to say where they are, and what they extend.
awk -v jar="$work/rpc.jar" '
  function id(key) {
    if (!(key in ids)) { ids[key] = ++last; if (key !~ /@/) print key " id: " last }
    return ids[key]
  }
  / source: / {
    name = source = $0
    sub(/ source: .*/, "", name); sub(/.* source: /, "", source); gsub(/[.]/, "/", name)
    own = index(source, "/flink-rpc-") && source ~ /[.]jar$/
    next
  }
  $1 == "klass:" && $3 == "super:" {
    klass[FILENAME $2] = own ? name "@" : name
    if (!own || (name "@") in ids) next
    of = klass[FILENAME $4]; faces = ""
    if (of == "" || (of ~ /@/ && !(of in ids))) next
    super = id(of)
    for (i = 6; $5 == "interfaces:" && $i ~ /^0x/; i++) {
      face = klass[FILENAME $i]
      if (face == "" || (face ~ /@/ && !(face in ids))) next
      faces = faces " " id(face)
    }
    print name " id: " id(name "@") " super: " super (faces == "" ? "" : " interfaces:" faces) " source: " jar
  }' jobmanager.load taskmanager.load > own.list
dumped() { # LIST
  rm -f flink.jsa
  "$java" -Xshare:dump -XX:+UseG1GC -Xmx512m -Xlog:cds=error -Xlog:cds+heap=error -Xlog:gc+verify=error \\
    "-XX:SharedClassListFile=$1" -XX:SharedArchiveFile=flink.jsa -classpath "$class_path" > dump.log 2>&1
  [ -s flink.jsa ]
}
cat builtin.list own.list > all.list
dumped all.list || dumped builtin.list || failed "the JVM made no archive: $(tail -n 1 dump.log)"
# That of the scripts' own JVM is made by an orderly end, which Java 11 does not know; without it they start as ever.
"$java" -XX:ArchiveClassesAtExit=scripts.jsa -XX:+UseSerialGC -Xlog:cds=off -Xlog:cds+dynamic=off \\
  -classpath "$home/bin/bash-java-utils.jar:$(printf '%s' "$home"/lib/flink-dist*.jar)" \\
  org.apache.flink.runtime.util.bash.BashJavaUtils UPDATE_AND_GET_FLINK_CONFIGURATION --configDir "$work/conf" -flatten > dump.log 2>&1
[ -s scripts.jsa ] || : > scripts.jsa
chmod a+r flink.jsa scripts.jsa && tar -cf classes.tar flink.jsa scripts.jsa || failed 'the image has no tar'
sum=$(sha256sum classes.tar)
upload classes.tar "$ARCHIVE_URL" || failed 'the archive could not be uploaded'
printf '{"sha256":"%s","size":%s,"classPath":"%s","java":"%s"}' "\${sum%% *}" "$(wc -c < classes.tar)" \\
  "$(sum_of_class_path)" "$("$java" -version 2>&1 | sed -n 's/^.* version "\\([^"]*\\)".*/\\1/p')" > report
upload report "$REPORT_URL"
exec sleep infinity
`;
