# shellcheck shell=bash
# A PostgreSQL server for one occasion: made in a directory of its own, removed without a trace.
# For the demo and for tests; source it from bash. Everything happens in this order:
#
#   . setup/throwaway_server.sh
#   trap throwaway_remove EXIT
#   throwaway_prepare my_test            # THROWAWAY_DIR=/tmp/my_test.XXXXXX, PG_BIN
#   throwaway_init warehouse             # initdb; the database that pg_cron will serve
#   throwaway_configure "work_mem = 64MB"    # optional, as often as needed
#   throwaway_start                      # psql, pg_prove, pg_regress now find the server
#
# It listens on a Unix socket only, inside a directory that nobody else may enter; that is what makes
# "trust" safe. So any port will do, and several servers can run side by side. PGHOST, PGPORT, PGUSER
# and PGDATABASE are exported, and whatever else could lead a client elsewhere is unset.
#
# A server refuses to run as root. For root it runs as the user "postgres", for anybody else as that
# user; throwaway_as_server runs a command as whoever it is. A crash of the machine loses the data
# (fsync is off), a crash of the server does not.
#
# Settings, to be set before the call that reads them:
#   PG_MAJOR           version to use where several are installed            (15)
#   PG_CONFIG          its pg_config      (Debian's for PG_MAJOR, else the one on the PATH)
#   THROWAWAY_PARENT   where the directory is made; the server's user must be able to enter it   (/tmp)
#   THROWAWAY_PORT     names the socket                                      (5432)
#   THROWAWAY_PRELOAD  shared_preload_libraries            (etl_orchestrator,pg_cron)

# Makes the directory NAME.XXXXXX and finds the server's programs.
# Sets THROWAWAY_DIR, PG_BIN, PG_CONFIG.
throwaway_prepare() {
  local name=$1 debian_pg_config=/usr/lib/postgresql/${PG_MAJOR:-15}/bin/pg_config

  if [ -z "${PG_CONFIG:-}" ]; then
    PG_CONFIG=pg_config
    [ -x "$debian_pg_config" ] && PG_CONFIG=$debian_pg_config
  fi
  PG_BIN=$("$PG_CONFIG" --bindir) || return
  THROWAWAY_DIR=$(mktemp -d "${THROWAWAY_PARENT:-/tmp}/$name.XXXXXX") || return
  throwaway_give_to_server "$THROWAWAY_DIR"
}

# Runs a command as the server's operating system user.
throwaway_as_server() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# Makes a file or a directory readable for the server, whoever made it.
throwaway_give_to_server() {
  if [ "$(id -u)" -eq 0 ]; then
    chown -R postgres: "$1"
  fi
}

# Creates the cluster and its configuration. DATABASE is the one that pg_cron serves; it need not
# exist yet.
throwaway_init() {
  local database=$1

  throwaway_as_server "$PG_BIN/initdb" --pgdata="$THROWAWAY_DIR/pgdata" --username=postgres \
    --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$THROWAWAY_DIR/initdb.log" 2>&1 || {
    cat "$THROWAWAY_DIR/initdb.log" >&2
    return 1
  }
  throwaway_configure \
    "listen_addresses = ''" \
    "unix_socket_directories = '$THROWAWAY_DIR'" \
    "port = ${THROWAWAY_PORT:-5432}" \
    "shared_preload_libraries = '${THROWAWAY_PRELOAD-etl_orchestrator,pg_cron}'" \
    "max_worker_processes = 16" \
    "cron.database_name = '$database'" \
    "cron.host = '$THROWAWAY_DIR'" \
    "fsync = off"
}

# Appends lines to postgresql.conf; the last of two that contradict each other wins.
throwaway_configure() {
  printf '%s\n' "$@" >>"$THROWAWAY_DIR/pgdata/postgresql.conf"
}

# Starts the server and returns when it answers; on failure shows its log.
throwaway_start() {
  unset PGHOSTADDR PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGOPTIONS PGSSLMODE PGTZ PGDATESTYLE
  export PGHOST=$THROWAWAY_DIR PGPORT=${THROWAWAY_PORT:-5432} PGUSER=postgres PGDATABASE=postgres

  throwaway_as_server "$PG_BIN/pg_ctl" start --wait --silent --pgdata="$THROWAWAY_DIR/pgdata" \
    --log="$THROWAWAY_DIR/server.log" >/dev/null || {
    tail -n 20 "$THROWAWAY_DIR/server.log" >&2
    return 1
  }
}

# Is the server up?
throwaway_is_running() {
  throwaway_as_server "$PG_BIN/pg_ctl" status --pgdata="$THROWAWAY_DIR/pgdata" >/dev/null 2>&1
}

# Stops the server if it is up. The optional argument is pg_ctl's mode: smart, fast (default) or
# immediate.
throwaway_stop() {
  throwaway_is_running || return 0
  throwaway_as_server "$PG_BIN/pg_ctl" stop --wait --silent --mode="${1:-fast}" \
    --pgdata="$THROWAWAY_DIR/pgdata" >/dev/null
}

# Stops the server, by force if it does not stop in time, and deletes the directory. Does nothing
# if there is none, so that it can stand in a trap from the beginning.
throwaway_remove() {
  [ -n "${THROWAWAY_DIR:-}" ] || return 0
  throwaway_stop fast || throwaway_stop immediate || return
  rm -rf "$THROWAWAY_DIR"
  THROWAWAY_DIR=
}
