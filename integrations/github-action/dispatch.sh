#!/usr/bin/env bash
# The steps of action.yml. usage: dispatch.sh start|wait|cancel; everything else comes by environment variables.
set -euo pipefail

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

dispatch() { # ARGUMENT…
  local stack=()
  [[ -z ${STACK:-} ]] || stack=(--stack "$STACK")
  npx --yes --package "$PACKAGE" -- flink-dispatch "$@" "${stack[@]}"
}

# A member of the answer, as one line; nothing where it is not there.
member() { # PATH
  node -e 'const value = process.argv[2].split(".").reduce((of, name) => of?.[name], JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")));
    process.stdout.write(String(value ?? "").replace(/\s+/g, " "))' "$answer" "$1"
}

start() {
  local asked=() status=0
  [[ -z $FILE ]] || asked+=(-f "$FILE")
  [[ -z $JOB ]] || asked+=(--job "$JOB")
  if [[ -n $JAR ]]; then
    asked+=(--jar "$JAR")
    [[ -z $PREFIX ]] || asked+=(--prefix "$PREFIX")
  else
    asked+=(--key "${KEY:-$ATTEMPT}")
  fi
  dispatch runs start --json "${asked[@]}" >"$answer" || status=$?
  [[ ! -s $answer ]] || echo "run-id=$(member runId)" >>"$GITHUB_OUTPUT"
  # What was rejected has its outcome, which the step that waits tells.
  [[ $status == 4 && $WAIT == true ]] || return "$status"
}

wait_for() {
  local status=0 timeout=()
  [[ -z $TIMEOUT ]] || timeout=(--timeout "$TIMEOUT")
  dispatch runs wait "$RUN_ID" --json "${timeout[@]}" >"$answer" || status=$?
  [[ -s $answer ]] || return "$status"
  echo "state=$(member outcome.state)" >>"$GITHUB_OUTPUT"
  echo "reason=$(member outcome.reason)" >>"$GITHUB_OUTPUT"
  # An indented line of Markdown is text, whatever a job has written into it.
  {
    echo "    $(member name) $RUN_ID: $(member outcome.state) $(member outcome.reason)"
    echo "    $(member outcome.message)"
    echo "    $(member outcome.rootException)"
  } | tee -a "$GITHUB_STEP_SUMMARY"
  return "$status"
}

case ${1:-} in
  start) start ;;
  wait) wait_for ;;
  cancel) dispatch runs cancel "$RUN_ID" ;;
  *) echo 'usage: dispatch.sh start|wait|cancel' >&2; exit 2 ;;
esac
