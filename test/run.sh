#!/usr/bin/env bash
# Runs all tests on a throwaway server and leaves nothing behind.
#
#   test/run.sh                    everything: installs what is missing, builds, installs the extension, tests
#   test/run.sh unit sql           only these: unit, sql, pgtap, crash
#   test/run.sh pgtap/security     only one file (of pgtap or crash); crash/008 and pgtap/tasks do for all that begin so
#
# The last line counts the tests: "N passed, N failed". Exits with 0 only if none failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=../setup/throwaway_server.sh
. "$root/setup/throwaway_server.sh"

passed=0
failed=0
counted_at=$SECONDS

# Adds up the "ok" and "not ok" lines of a TAP stream, shows what failed or was skipped as a whole, and counts a program
# that broke as one more failure. Usage: count NAME STATUS FILE
count() {
  local name=$1 status=$2 file=$3 good bad reason
  good=$(grep -E '^\s*ok [0-9]' "$file" | grep -civE '# skip ' || true)
  bad=$(grep -cE '^\s*not ok [0-9]' "$file" || true)
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  if [ "$bad" -gt 0 ]; then
    echo "FAILED  $name: $bad of $((good + bad))$(took)"
    { grep -vE '^\s*ok [0-9]' "$file" || true; } | tail -n 60 | sed 's/^/        /'
  elif [ "$good" -eq 0 ] && reason=$(grep -m 1 -oiP '# skip \K.*' "$file"); then
    echo "skipped $name: $reason"
  else
    echo "ok      $name: $good$(took)"
  fi
  counted_at=$SECONDS
}

# How long it took since the last one was counted, where that is worth saying.
took() {
  [ $((SECONDS - counted_at)) -lt 5 ] || echo ", $((SECONDS - counted_at)) s"
}

wanted() {
  [ ${#selection[@]} -eq 0 ] && return 0
  local part
  for part in "${selection[@]}"; do
    case $part in "${1%%/*}" | "$1" | "${1%%_*}") return 0 ;; esac
  done
  return 1
}

build() {
  "$root/setup/install_packages.sh"
  "$root/setup/install_duckdb.sh" || {
    echo "test/run.sh: most tests of files need DuckDB, which could not be installed" >&2
    return 1
  }
  make -C "$root" PG_CONFIG="$PG_CONFIG" -j"$(nproc)" >"$THROWAWAY_DIR/build.log" 2>&1 &&
    make -C "$root" PG_CONFIG="$PG_CONFIG" install >>"$THROWAWAY_DIR/build.log" 2>&1 || {
    tail -n 30 "$THROWAWAY_DIR/build.log"
    return 1
  }
}

# GoogleTest: one line for each test.
run_unit() {
  local out=$THROWAWAY_DIR/unit.out status=0
  make -j"$(nproc)" -C "$root/test/unit" check >"$out" 2>&1 || status=$?
  sed -E -n 's/^\[ +OK \] (.*)/ok 1 \1/p; s/^\[  FAILED  \] ([^ ]+) \(.*/not ok 1 \1/p; /Failure$|error:/p' "$out" >"$out.tap"
  [ "$status" -eq 0 ] || [ -s "$out.tap" ] || cp "$out" "$out.tap"
  count unit "$status" "$out.tap"
}

# pg_regress: what a user reads, word for word.
run_sql() {
  local out=$THROWAWAY_DIR/sql.out status=0 tests expected=()
  tests=$(cd "$here/sql" && printf '%s\n' *.sql | sed 's/\.sql$//' | tr '\n' ' ')
  local regress
  regress=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/regress/pg_regress
  [ "$("$PG_CONFIG" --version | tr -dc '0-9. ' | awk '{print int($1)}')" -lt 16 ] || expected=(--expecteddir="$THROWAWAY_DIR/regress")
  mkdir -p "$THROWAWAY_DIR/regress"
  cp -r "$here/sql" "$root/expected" "$THROWAWAY_DIR/regress/"
  throwaway_give_to_server "$THROWAWAY_DIR/regress"
  # shellcheck disable=SC2086
  (cd "$THROWAWAY_DIR/regress" && throwaway_as_server env PGOPTIONS= bash -c "cd '$THROWAWAY_DIR/regress' && '$regress' \
    --inputdir=. --outputdir=. ${expected[*]:-} --bindir='$PG_BIN' --dbname=etl_regress --host='$PGHOST' --port='$PGPORT' \
    --user=postgres $tests") >"$out" 2>&1 || status=$?
  sed -E -n 's/^(test )?(ok [0-9]+ +- |)([a-z_]+) +\.\.\. ok.*/ok 1 \3/p; s/^(test )?([a-z_]+) +\.\.\. FAILED.*/not ok 1 \2/p; s/^(not )?ok ([0-9]+) +[-+] ([a-z_]+).*/\1ok \2 \3/p' "$out" >"$out.tap"
  [ ! -s "$THROWAWAY_DIR/regress/regression.diffs" ] || cat "$THROWAWAY_DIR/regress/regression.diffs" >>"$out.tap"
  [ -s "$out.tap" ] || cp "$out" "$out.tap"
  count sql "$status" "$out.tap"
}

# The module that drives the gates of src/pg, for pgtap/gates and pgtap/late_news. Its path must be short: 95 characters are kept of it.
build_gates() {
  cp -r "$here/gates" "$THROWAWAY_DIR/gates"
  sed -i "s|\.\./\.\./src|$root/src|g" "$THROWAWAY_DIR/gates/Makefile"
  make -C "$THROWAWAY_DIR/gates" PG_CONFIG="$PG_CONFIG" >"$THROWAWAY_DIR/gates.log" 2>&1 ||
    { tail -n 20 "$THROWAWAY_DIR/gates.log" && return 1; }
  throwaway_give_to_server "$THROWAWAY_DIR/gates"
}

# pgTAP: each file in a database of its own.
run_pgtap() {
  local file name out
  if wanted pgtap/gates || wanted pgtap/late_news; then build_gates; fi
  for file in "$here"/pgtap/*.sql; do
    name=$(basename "$file" .sql)
    wanted "pgtap/$name" || continue
    out=$THROWAWAY_DIR/pgtap_$name.out
    local status=0
    {
      createdb "t_$name" &&
        psql -Xq -v ON_ERROR_STOP=1 -d "t_$name" -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION etl_orchestrator' &&
        mkdir -p "$THROWAWAY_DIR/files_$name" && throwaway_give_to_server "$THROWAWAY_DIR/files_$name" &&
        throwaway_as_server chmod 777 "$THROWAWAY_DIR/files_$name" &&
        (cd "$here/pgtap" && timeout 120 psql -XqAt -F $'\n' -v ON_ERROR_STOP=0 -v files="$THROWAWAY_DIR/files_$name" \
          -v gates="$THROWAWAY_DIR/gates/etl_gates.so" \
          -d "t_$name" -f "$file")
    } >"$out" 2>&1 || status=$?
    grep -qE '^1\.\.[0-9]' "$out" || { echo 'not ok 0 has no plan' >>"$out"; }
    ! grep -q '^# Looks like you planned' "$out" || echo 'not ok 0 plan and tests differ' >>"$out"
    dropdb --force "t_$name" >>"$out" 2>&1 || status=1
    count "pgtap/$name" "$status" "$out"
  done
}

# One file of test/crash, on servers of its own. Usage: crash_test NAME OUTPUT
crash_test() {
  local lib
  lib=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/perl
  throwaway_as_server env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE PATH="$PG_BIN:$PATH" PG_REGRESS=/bin/true \
    SHARED_DIR="${SHARED_DIR:-$root/../shared}" TMPDIR="$THROWAWAY_DIR" TESTDATADIR="$THROWAWAY_DIR/crash/tmp_check" TESTLOGDIR="$THROWAWAY_DIR/crash/log" \
    bash -c "cd '$THROWAWAY_DIR/crash' && timeout 300 perl -I'$lib' -I. 't/$1.pl'" >"$2" 2>&1
}

# Waits until any of crash_names ends, and counts it.
count_next_crash() {
  local pid status=0
  wait -n -p pid "${!crash_names[@]}" || status=$?
  counted_at=${crash_started[pid]}
  count "crash/${crash_names[pid]}" "$status" "$THROWAWAY_DIR/crash_${crash_names[pid]}.out"
  unset "crash_names[pid]"
}

# TAP: servers killed, restarted, starved. They wait more than they work, so two files run at a time.
run_crash() {
  local file name
  local -a crash_names=() crash_started=()
  cp -r "$here/crash" "$THROWAWAY_DIR/crash"
  throwaway_give_to_server "$THROWAWAY_DIR/crash"
  for file in "$here"/crash/t/*.pl; do
    name=$(basename "$file" .pl)
    wanted "crash/$name" || continue
    [ ${#crash_names[@]} -lt 2 ] || count_next_crash
    crash_test "$name" "$THROWAWAY_DIR/crash_$name.out" &
    crash_names[$!]=$name
    crash_started[$!]=$SECONDS
  done
  while [ ${#crash_names[@]} -gt 0 ]; do count_next_crash; done
}

selection=("$@")
trap throwaway_remove EXIT
PGXS_SERVER_MAJOR=${PG_MAJOR:-15}
[ -x "/usr/lib/postgresql/$PGXS_SERVER_MAJOR/bin/pg_config" ] || command -v pg_config >/dev/null ||
  "$root/setup/install_packages.sh"
throwaway_prepare etl_test
build
if wanted unit/; then run_unit; fi
throwaway_init warehouse
throwaway_configure "max_worker_processes = 32" "etl_orchestrator.max_workers = 4" "log_min_messages = notice"
throwaway_start
if wanted sql/; then run_sql; fi
run_pgtap
throwaway_stop
run_crash

echo
[ $((passed + failed)) -gt 0 ] || echo "test/run.sh: there is no test called ${selection[*]}" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
