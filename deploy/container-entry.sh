#!/usr/bin/env bash
# Process 1 of the image. When the kernel kills the worker because of its memory, the container and its count of such
# kills would be gone; this shell survives (it is the smallest), starts the worker again, and tells it why in LAST_EXIT.
# The count is that of the container's own cgroup. Where somebody else was in the container as well (docker exec), or
# where only the machine's count can be read, it says that it may have been the kernel. Any other end is the container's
# end, with the same exit code. Signals are passed on. Costs 3 MB.
# Its bound: RESTARTS_MAX; then the platform restarts the container, with its own delays.
set -u
cd "$(dirname "$0")/.."
RESTARTS_MAX=5
PROC=/proc
CGROUPS=/sys/fs/cgroup

# Both versions of cgroups; in a container the mount usually begins at its own group, whatever path it has on the host.
group=
events=
find_group() {
  local controllers path
  while IFS=: read -r _ controllers path; do
    case ",$controllers," in
      *,memory,*) set_group "$CGROUPS/memory" "$path" memory.oom_control; return ;;
      ,,) set_group "$CGROUPS" "$path" memory.events ;;
    esac
  done < "$PROC/self/cgroup"
}
set_group() {
  group=$1
  [ -d "$1$2" ] && group=$1$2
  events=$group/$3
  [ -r "$events" ] || group= events=$PROC/vmstat
}

# Sets `kills`. No $(…) from here on: the shell that it starts would be one more in the group.
count_kills() {
  local name value
  kills=0
  while read -r name value; do
    [ "$name" = oom_kill ] && kills=$value
  done < "$events"
}

# Sets `others` when somebody besides this shell and the worker is in the group. Process 1 lives as long as the container.
find_others() {
  local pid
  while read -r pid; do
    case $pid in 1 | $$ | "$child") ;; *) others=yes ;; esac
  done < "$group/cgroup.procs"
}

stopping=
forward() {
  stopping=yes
  kill -s "$1" "$child" 2> /dev/null
}
trap 'forward TERM' TERM
trap 'forward INT' INT

find_group 2> /dev/null
[ -n "$events" ] || events=$PROC/vmstat

for ((restarts = 0; ; restarts++)); do
  count_kills
  before=$kills
  others=
  node dist/launch.js "$@" &
  child=$!
  [ -z "$group" ] || find_others
  wait "$child"
  code=$?
  # A signal ends the wait, and not the worker.
  while kill -0 "$child" 2> /dev/null; do
    wait "$child"
    code=$?
  done
  if [ "$code" = 137 ] && [ -z "$stopping" ] && [ "$restarts" -lt "$RESTARTS_MAX" ]; then
    count_kills
    [ -z "$group" ] && others=yes || find_others
    if [ "$kills" != "$before" ]; then
      export LAST_EXIT=oom-kill
      [ -z "$others" ] || LAST_EXIT='signal SIGKILL, which may have been the kernel because of its memory'
      echo "{\"level\":50,\"msg\":\"$1 was killed ($LAST_EXIT); starting it again\",\"restart\":$((restarts + 1))}" >&2
      continue
    fi
  fi
  exit "$code"
done
