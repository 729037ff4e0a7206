# shellcheck shell=bash
# What else would run many small jobs, for run.sh. Each is a command that prints jobs per second.

rivals=()  # arguments for throughput

# Before the server starts: asks it to load pg_cron, and installs the npm packages in the throwaway directory.
prepare_rivals() {
  if has_pg_cron; then THROWAWAY_PRELOAD+=,pg_cron; fi
  npm_packages=$THROWAWAY_DIR/npm
  mkdir "$npm_packages"
  cp "$rivals_here"/package.json "$rivals_here"/*.mjs "$npm_packages"
  npm_absence=
  if ! command -v npm >/dev/null; then
    npm_absence="npm is not installed"
  elif ! (cd "$npm_packages" && npm install --no-audit --no-fund && node_modules/.bin/node --version) \
    >"$npm_packages/install.log" 2>&1; then
    tail -n 20 "$npm_packages/install.log" >&2
    npm_absence="npm could not install it"
  fi
}

# Once the server is up: sets rivals.
list_rivals() {
  add_rival "make -j2, a psql for each of 1,000 jobs" "$rivals_here/make_psql.sh 1000" ""
  local cron_absence="pg_cron is not installed"
  if has_pg_cron; then cron_absence=; fi
  add_rival "pg_cron, 1,000 jobs due at once, 2 at a time" "$rivals_here/pg_cron.sh 1000" "$cron_absence"

  local node="$npm_packages/node_modules/.bin/node $npm_packages"
  add_rival "graphile-worker, 10,000 jobs one by one" "$node/graphile_worker.mjs 10000 single" "$npm_absence"
  add_rival "graphile-worker, in batches of 500" "$node/graphile_worker.mjs 10000 batches" "$npm_absence"
  add_rival "pg-boss, 10,000 jobs one by one" "$node/pg_boss.mjs 10000 1" "$npm_absence"
  add_rival "pg-boss, in batches of 500" "$node/pg_boss.mjs 10000 500" "$npm_absence"
}

rivals_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

has_pg_cron() {
  [ -e "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ]
}

add_rival() {
  local name=$1 command=$2 absence=$3
  if [ -z "$absence" ]; then
    rivals+=(--rival "$name" "$command")
  else
    rivals+=(--absent "$name" "$absence")
  fi
}
