#!/usr/bin/env bash
# Installs what the build, the demo and all tests need on Debian 12.
#
# Safe to run again: it asks apt only for what is missing, and says in one line when nothing is.
# Works as root, or through sudo. PG_MAJOR chooses the PostgreSQL version (default 15); versions
# that Debian does not carry need the PostgreSQL project's own apt repository.
#
# Debian makes and starts a cluster "main" when a server package arrives. Nothing here needs it, so
# it is switched off while the packages are being installed, and only then.
set -euo pipefail

PG_MAJOR=${PG_MAJOR:-15}

packages=(
  build-essential                           # g++ and make
  "postgresql-$PG_MAJOR"
  "postgresql-server-dev-$PG_MAJOR"         # server headers, PGXS, PostgreSQL::Test::Cluster
  "postgresql-$PG_MAJOR-cron"               # setup.schedule()
  "postgresql-$PG_MAJOR-pgtap"              # test/pgtap
  libtap-parser-sourcehandler-pgtap-perl    # pg_prove
  libipc-run-perl                           # test/crash
  libgtest-dev                              # test/unit
  libpqxx-dev                               # src/client, test/bench
  zlib1g-dev                                # src/files
  nlohmann-json3-dev                        # JSON in src/states and src/locations
  duktape-dev                               # JavaScript in src/states, for JSONata
)
# Brings DuckDB, for src/files, and JSONata, for src/states; also where node itself was installed in another way.
command -v npm >/dev/null || packages+=(npm ca-certificates)

stop_with() {
  printf 'install_packages.sh: %s\n' "$1" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# What Debian does not have. What needs DuckDB is optional.
install_libraries() {
  local here
  here=$(dirname "${BASH_SOURCE[0]}")
  "$here/install_jsonata.sh"
  "$here/install_duckdb.sh" ||
    echo "install_packages.sh: DuckDB was not installed: without it only plain CSV files can be loaded" >&2
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

case $PG_MAJOR in
  '' | *[!0-9]*) stop_with "PG_MAJOR must be a number such as 15, not \"$PG_MAJOR\"" ;;
esac
command -v apt-get >/dev/null || stop_with "apt-get is not here; install the equivalents of: ${packages[*]}"

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "All ${#packages[@]} packages are there already."
  install_libraries
  exit
fi
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
  stop_with "run as root, or install sudo; missing: ${missing[*]}"

no_cluster=/etc/postgresql-common/createcluster.d/install-without-cluster.conf
trap 'as_root rm -f "$no_cluster"; as_root rmdir --ignore-fail-on-non-empty "${no_cluster%/*}"' EXIT
as_root mkdir -p "${no_cluster%/*}"
echo "create_main_cluster = off" | as_root tee "$no_cluster" >/dev/null

apt update
apt install -y --no-install-recommends "${missing[@]}"
echo "Installed: ${missing[*]}"
install_libraries
