#!/usr/bin/env bash
# Measures state machines beside jobs, on a throwaway server; prints one table.
#
#   test/bench/states.sh                5 rounds
#   test/bench/states.sh --rounds 9
set -euo pipefail
# shellcheck source=server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"

rounds=5
if [ "${1:-}" = --rounds ]; then rounds=$2; fi

trap throwaway_remove EXIT
bench_build states ""
bench_start "etl_orchestrator.max_workers = 2"
psql -Xq -v ON_ERROR_STOP=1 -v rounds="$rounds" -f "$bench_here/states.sql"
