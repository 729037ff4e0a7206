# shellcheck shell=bash
# A throwaway server to measure on, for run.sh and load.sh. Unlike the servers of the tests it syncs its writes: what a
# commit costs is what is measured against. Source it from bash, then in this order:
#
#   trap throwaway_remove EXIT
#   bench_build throughput               # the extension, and build/bench/throughput; THROWAWAY_DIR
#   bench_build states ""                # the extension only
#   bench_start "work_mem = 64MB" ...    # with further settings; clients find it, and a database "bench"
bench_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$bench_here/../.." && pwd)
# shellcheck source=../../setup/throwaway_server.sh
. "$root/setup/throwaway_server.sh"

bench_make() {
  make -C "$root" PG_CONFIG="$PG_CONFIG" -j"$(nproc)" &&
    make -C "$root" PG_CONFIG="$PG_CONFIG" install &&
    { [ -z "$1" ] || make -C "$bench_here" -j"$(nproc)" "$1"; }
}

bench_build() {
  THROWAWAY_PRELOAD=etl_orchestrator
  throwaway_prepare "etl_$1"
  bench_make "${2-$1}" >"$THROWAWAY_DIR/build.log" 2>&1 || {
    tail -n 30 "$THROWAWAY_DIR/build.log" >&2
    return 1
  }
}

# A checkpoint, and the full pages that are logged after one, would hit one round only. Workers and the conductor stay
# between rounds.
bench_start() {
  throwaway_init bench
  throwaway_configure "fsync = on" "synchronous_commit = on" "max_wal_size = 16GB" "checkpoint_timeout = 1d" \
    "etl_orchestrator.idle_timeout = 1h" "$@"
  throwaway_start
  "$PG_BIN/createdb" bench
  export PGDATABASE=bench
}
