#!/usr/bin/env bash
# Measures jobs per second beside pgbench's commits per second, on a throwaway server; prints a table.
#
#   test/bench/run.sh                         5 runs of 1,000 jobs
#   test/bench/run.sh --runs 9 --jobs 5000    whatever build/bench/throughput takes
#
# Unlike the servers of the tests this one syncs its writes: what a commit costs is what is measured against.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../../setup/throwaway_server.sh
. "$root/setup/throwaway_server.sh"

build() {
  make -C "$root" PG_CONFIG="$PG_CONFIG" -j"$(nproc)" &&
    make -C "$root" PG_CONFIG="$PG_CONFIG" install &&
    make -C "$here" throughput
}

trap throwaway_remove EXIT
THROWAWAY_PRELOAD=etl_orchestrator
throwaway_prepare etl_bench
build >"$THROWAWAY_DIR/build.log" 2>&1 || {
  tail -n 30 "$THROWAWAY_DIR/build.log" >&2
  exit 1
}
throwaway_init bench
# A checkpoint, and the full pages that are logged after one, would hit one round only.
throwaway_configure "fsync = on" "synchronous_commit = on" "etl_orchestrator.max_workers = 2" \
  "max_wal_size = 8GB" "checkpoint_timeout = 1h"
throwaway_start
"$PG_BIN/createdb" bench
PGDATABASE=bench "$root/build/bench/throughput" --pgbench "$PG_BIN/pgbench" --script "$here/one_row.sql" "$@"
