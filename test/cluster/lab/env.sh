# Sourced by the other scripts: where the cluster keeps its state, and how to enter its network.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${FLINK_DISPATCH_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/flink-dispatch/lab}
netns=flink-dispatch
node_ip=10.89.0.1
service_cidr=10.96.0.0/16
pod_cidr=10.244.0.0/16
dns_ip=10.96.0.10
api_port=${FLINK_DISPATCH_LAB_API_PORT:-6443}
bin=$state/bin
pki=$state/pki
log=$state/log
in_net() { nsenter --net="/run/netns/$netns" "$@"; }

# daemon NAME COMMAND…: run a program in a session of its own, without the caller's open files (it may hold a lock)
daemon() {
  local name=$1 fd; shift
  (
    for fd in /proc/self/fd/*; do fd=${fd##*/}; if ((fd > 2)); then exec {fd}>&-; fi; done
    exec setsid "$@" >>"$log/$name.log" 2>&1 </dev/null
  ) &
  echo $! >"$state/run/$name.pid"
}

# ours PID: whether it still is a program of this cluster, which all have its folder among their arguments, and not
# another one that got its id after a restart of the machine
ours() { { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qF "$state/"; }

# start NAME COMMAND…: run a program in the cluster's network, its id in run/NAME.pid, its output in log/NAME.log
start() {
  local name=$1; shift
  if [ -f "$state/run/$name.pid" ] && ours "$(cat "$state/run/$name.pid")"; then return; fi
  daemon "$name" nsenter --net="/run/netns/$netns" "$@"
}

# wait_for SECONDS WHAT COMMAND…
wait_for() {
  local limit=$1 what=$2; shift 2
  local end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > end)); then echo "cluster: $what is not up after ${limit}s; see $log" >&2; return 1; fi
    sleep 0.3
  done
}
