# What `run-node` has of its processes, containers and network, and how all of it ends.
# shellcheck shell=bash disable=SC2154

say() { echo "node: $*" >&2; }
fail() {
  say "$*"
  exit 1
}
runtime() { ctr --address "$socket" --namespace k8s.io "$@"; }

# begin NAME COMMAND...: as a process of its own session, which Ctrl-C at a terminal does not reach. The lock and the input stay here.
begin() {
  local name=$1
  shift
  setsid "$@" >"$home/log/$name.log" 2>&1 8<&- 9>&- &
  echo $! >"$home/pid/$name"
}

# until_so SECONDS WHAT COMMAND...: waits until the command succeeds.
until_so() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what did not come up; its last words: $(tail -qn 1 "$home"/log/*.log | tail -n 5)"
    sleep 0.2
  done
}

# The process that `begin` started under this name, unless it is gone and another one has its number.
process_of() {
  local pid
  pid=$(cat "$home/pid/$1" 2>/dev/null) || return 1
  [ "$(basename "$(readlink "/proc/$pid/exe")")" = "$1" ] && echo "$pid"
}

# stop SECONDS NAMES...: SIGTERM, and SIGKILL after the seconds.
stop() {
  local end=$((SECONDS + $1)) name pid
  shift
  for name in "$@"; do
    pid=$(process_of "$name") && kill "$pid"
  done
  for name in "$@"; do
    while pid=$(process_of "$name") && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
    pid=$(process_of "$name") && kill -9 "$pid"
    rm -f "$home/pid/$name"
  done
}

# Ends what `begin` started, its containers, mounts and network. Nothing of anybody else's.
end_node() {
  set +e
  trap '' INT TERM
  local container task network networks=()
  stop 3 kubelet kube-proxy
  if process_of containerd >/dev/null; then
    mapfile -t networks < <(for container in $(runtime containers ls -q); do
      runtime containers info "$container" | grep -o 'netns/cni-[^"]*' | cut -d/ -f2
    done | sort -u)
    for task in $(runtime tasks ls -q); do runtime tasks kill -s SIGKILL "$task"; done
    for container in $(runtime containers ls -q); do
      for _ in $(seq 50); do
        runtime tasks rm -f "$container" && break
        runtime tasks ls -q | grep -qx "$container" || break
        sleep 0.1
      done
      runtime containers rm "$container"
    done
  fi
  stop 3 containerd
  stop 3 kube-scheduler kube-controller-manager kube-apiserver etcd
  for mount in $(cut -d ' ' -f 2 /proc/mounts | grep -E "^($home|$state)/" | sort -r); do umount -l "$mount"; done
  for network in "${networks[@]}"; do ip netns del "$network"; done
  ip link del omnia-pods
  ip link del omnia-node
  end_rules
  rm -rf /var/lib/cni/networks/omnia "$home" "$state"
  set -e
} >/dev/null 2>&1

# TABLE CHAIN of each chain that nodes of Kubernetes and plugins of pods make.
chains() {
  local table
  for table in nat filter mangle; do
    iptables-save -t "$table" | sed -nE "s/^:((KUBE|CNI)-[^ ]+) .*/$table \\1/p"
  done | LC_ALL=C sort
}

# Takes away the chains that were not there before this node, and the rules that lead to them.
end_rules() {
  [ -f "$home/chains-before" ] || return
  local table chain rule
  chains | LC_ALL=C comm -13 "$home/chains-before" - >"$home/chains-made"
  while read -r table chain; do
    iptables -t "$table" -F "$chain"
    iptables-save -t "$table" | grep -E -- "^-A .* -j $chain( |$)" | sed 's/^-A/-D/' |
      while read -r rule; do eval "iptables -t $table $rule"; done
  done <"$home/chains-made"
  while read -r table chain; do iptables -t "$table" -X "$chain"; done <"$home/chains-made"
}
