#!/usr/bin/env bash
# From a fresh machine to a loaded warehouse: packages, build, a server of its own, data, one CALL.
#
# The server is a throwaway (setup/throwaway_server.sh) and is gone at the end, whatever happens,
# unless --keep is given. Nothing but packages and the installed extension stays on the machine.
set -euo pipefail

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/throwaway_server.sh
. "$setup_dir/throwaway_server.sh"

usage() {
  cat <<'END'
Usage: setup/demo.sh [--data DIR] [--keep] [--port N]

Builds and installs the extension, starts a PostgreSQL server of its own, loads
the demo warehouse with one CALL and shows what happened.

  --data DIR   load the files in DIR/source_crm and DIR/source_erp, which are
               copied; without it, invented data is generated
  --keep       leave the server running and say how to reach and remove it
  --port N     number of the server's socket (default 5432); no TCP port is used
  --help       this text

Needs root, or sudo, for packages and "make install". PG_MAJOR in the
environment chooses the PostgreSQL version (default 15).
END
}

source_files=(
  source_crm/cust_info.csv source_crm/prd_info.csv source_crm/sales_details.csv
  source_erp/cust_az12.csv source_erp/loc_a101.csv source_erp/px_cat_g1v2.csv
)

refuse() {
  printf 'demo.sh: %s\n' "$1" >&2
  printf 'See setup/demo.sh --help\n' >&2
  exit 2
}

# --- arguments, all checked before anything is started ------------------------------------------------

data_from=
keep=no
port=5432
while [ $# -gt 0 ]; do
  case $1 in
    --data | --port)
      [ $# -ge 2 ] || refuse "$1 needs a value"
      if [ "$1" = --data ]; then data_from=$2; else port=$2; fi
      shift 2
      ;;
    --keep)
      keep=yes
      shift
      ;;
    --help)
      usage
      exit 0
      ;;
    *) refuse "unknown argument \"$1\"" ;;
  esac
done

case $port in
  '' | *[!0-9]* | ??????*) refuse "--port must be a number from 1 to 65535, not \"$port\"" ;;
esac
((10#$port >= 1 && 10#$port <= 65535)) || refuse "--port must be a number from 1 to 65535, not \"$port\""
THROWAWAY_PORT=$((10#$port))

# The path of a source file below --data; upper and lower case are the same, as for the loader.
find_source_file() {
  [ -d "$data_from/${1%/*}" ] || return 0
  find "$data_from/${1%/*}/" -maxdepth 1 -iname "${1##*/}" -print -quit
}

if [ -n "$data_from" ]; then
  [ -d "$data_from" ] || refuse "--data: there is no directory \"$data_from\""
  for file in "${source_files[@]}"; do
    found=$(find_source_file "$file")
    [ -f "$found" ] || refuse "--data: \"$data_from\" has no file $file"
    [ -r "$found" ] || refuse "--data: may not read \"$found\""
  done
fi

# --- how the rest is told -----------------------------------------------------------------------------

heading() {
  printf '\n%s\n%s\n\n' "$1" "${1//?/-}"
}

show() {
  printf '$ %s\n' "$*"
}

# Runs a command whose output is only of interest if it fails.
quietly() {
  "$@" >"$log_file" 2>&1 || {
    printf 'demo.sh: this failed: %s\n\n' "$*" >&2
    tail -n 40 "$log_file" >&2
    return 1
  }
}

psql() {
  "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -P pager=off "$@"
}

say_how_to_go_on() {
  local as_server=
  [ "$(id -u)" -ne 0 ] || as_server='runuser -u postgres -- '

  heading "The server is still running"
  cat <<END
Connect:

  psql -h $THROWAWAY_DIR -p $THROWAWAY_PORT -U postgres -d warehouse

Try:

  SELECT * FROM setup.run_plan();
  CALL setup.orchestrate_layer('gold');
  CALL setup.orchestrate_all(jobs => '{silver.crm_sales_details}',
                             downstream => true);
  UPDATE setup.load_jobs SET is_enabled = false WHERE job_name = 'erp_loc_a101';
  SELECT * FROM gold.sales_by_month ORDER BY month;
  \\d+ setup.load_log

Stop and remove it:

  $as_server$PG_BIN/pg_ctl stop -m fast \\
      -D $THROWAWAY_DIR/pgdata
  rm -r $THROWAWAY_DIR
END
}

finish() {
  local status=$?
  trap - EXIT
  rm -f "$log_file"
  if [ "$warehouse_is_up" = yes ] && [ "$keep" = yes ]; then
    say_how_to_go_on
  else
    throwaway_remove || status=1
  fi
  exit "$status"
}

warehouse_is_up=no
log_file=$(mktemp /tmp/etl_demo.log.XXXXXX)
trap finish EXIT

# --- the demo -----------------------------------------------------------------------------------------

cd "$setup_dir/.."
sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)

heading "Packages and build"
show setup/install_packages.sh
quietly setup/install_packages.sh
tail -n 1 "$log_file"
throwaway_prepare etl_demo
show make
quietly make -j "$(nproc)" PG_CONFIG="$PG_CONFIG"
show make install
quietly "${sudo[@]}" make install PG_CONFIG="$PG_CONFIG"

heading "A server of its own"
throwaway_init warehouse
throwaway_start
"$PG_BIN/psql" -X -A -t -c "SELECT 'PostgreSQL ' || current_setting('server_version')"
printf 'in %s, on a Unix socket only\n' "$THROWAWAY_DIR"

heading "Source files"
data=$THROWAWAY_DIR/data
mkdir -p "$data/source_crm" "$data/source_erp"
if [ -n "$data_from" ]; then
  for file in "${source_files[@]}"; do
    cp "$(find_source_file "$file")" "$data/${file%/*}/"
  done
  printf 'Copied from %s, bytes:\n' "$data_from"
  (cd "$data" && wc -c source_*/*)
else
  show setup/demo/generate_data.pl "$data"
  setup/demo/generate_data.pl "$data"
fi
throwaway_give_to_server "$data"

heading "The warehouse"
show psql -f setup/create_db.sql
psql -f setup/create_db.sql
export PGDATABASE=warehouse
warehouse_is_up=yes
show psql -d warehouse -f setup/create_schemas.sql
psql -f setup/create_schemas.sql
for layer in bronze_tables silver gold; do
  show psql -d warehouse -f "setup/demo/$layer.sql"
  psql -f "setup/demo/$layer.sql"
done
cat <<END
$ psql -d warehouse -f setup/seed/01_etl_config.sql \\
      -v base_path_crm=$data/source_crm \\
      -v base_path_erp=$data/source_erp
END
psql -f setup/seed/01_etl_config.sql \
  -v base_path_crm="$data/source_crm" -v base_path_erp="$data/source_erp"
show psql -d warehouse -f setup/seed/02_register_bronze_jobs.sql
psql -f setup/seed/02_register_bronze_jobs.sql
show psql -d warehouse -c "'CALL setup.seed_load_jobs()'"
psql -c 'CALL setup.seed_load_jobs()'
show psql -d warehouse -f setup/demo/dependencies.sql
psql -f setup/demo/dependencies.sql

heading "One CALL"
show psql -d warehouse -c "'CALL setup.orchestrate_all()'"
run_failed=no
psql -c 'CALL setup.orchestrate_all()' 2>&1 || run_failed=yes

heading "What happened"
psql -f setup/demo/report.sql

heading "State machines"
machines=(-f setup/demo/state_machines.sql -v "definitions=$PWD/setup/demo/state_machines")
if [ -e "$("$PG_CONFIG" --pkglibdir)/etl_files.so" ]; then
  mkdir -p "$THROWAWAY_DIR/lake/raw/taxi" "$THROWAWAY_DIR/workshop"
  printf 'id,fare\n1,2.5\n2,3\n' >"$THROWAWAY_DIR/lake/raw/taxi/yellow_tripdata_2024-01.csv"
  throwaway_give_to_server "$THROWAWAY_DIR/lake"
  throwaway_give_to_server "$THROWAWAY_DIR/workshop"
  machines+=(-v "lake=$THROWAWAY_DIR/lake" -v "workshop=$THROWAWAY_DIR/workshop")
fi
show psql -d warehouse "${machines[@]}"
[ "$run_failed" = yes ] || psql "${machines[@]}" 2>&1 || run_failed=yes

if [ "$run_failed" = yes ]; then
  echo "demo.sh: the run did not end OK, see above" >&2
  exit 1
fi
[ "$keep" = yes ] || echo "The server is removed now; setup/demo.sh --keep leaves it running."
