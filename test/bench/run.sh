#!/usr/bin/env bash
# Measures jobs per second beside pgbench's commits per second, on a throwaway server; prints one table.
#
#   test/bench/run.sh                    5 rounds, and the conductor's memory
#   test/bench/run.sh --memory-jobs 0    without its memory
#   test/bench/run.sh --rivals           also what else would run such jobs; downloads two npm packages and node
#   test/bench/run.sh --rounds 9 --jobs 5000 ...      whatever build/bench/throughput takes
#
# Unlike the servers of the tests this one syncs its writes: what a commit costs is what is measured against.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../../setup/throwaway_server.sh
. "$root/setup/throwaway_server.sh"
# shellcheck source=rivals/rivals.sh
. "$here/rivals/rivals.sh"

with_rivals=
options=()
for option; do
  if [ "$option" = --rivals ]; then with_rivals=yes; else options+=("$option"); fi
done

build() {
  make -C "$root" PG_CONFIG="$PG_CONFIG" -j"$(nproc)" &&
    make -C "$root" PG_CONFIG="$PG_CONFIG" install &&
    make -C "$here" -j"$(nproc)" throughput
}

trap throwaway_remove EXIT
THROWAWAY_PRELOAD=etl_orchestrator
throwaway_prepare etl_bench
build >"$THROWAWAY_DIR/build.log" 2>&1 || {
  tail -n 30 "$THROWAWAY_DIR/build.log" >&2
  exit 1
}
if [ -n "$with_rivals" ]; then prepare_rivals; fi

throwaway_init bench
# A checkpoint, and the full pages that are logged after one, would hit one round only. Workers and the conductor stay
# between rounds.
throwaway_configure "fsync = on" "synchronous_commit = on" "max_wal_size = 16GB" "checkpoint_timeout = 1d" \
  "etl_orchestrator.max_workers = 2" "etl_orchestrator.idle_timeout = 1h" "cron.max_running_jobs = 2"
throwaway_start
"$PG_BIN/createdb" bench
export PGDATABASE=bench
if [ -n "$with_rivals" ]; then list_rivals; fi
"$root/build/bench/throughput" --pgbench "$PG_BIN/pgbench" --directory "$THROWAWAY_DIR" \
  ${rivals[@]+"${rivals[@]}"} ${options[@]+"${options[@]}"}
