#!/usr/bin/env bash
# Puts DuckDB's library and C header where the Makefile looks for them. Called by install_packages.sh.
#
# The module etl_files reads Parquet, JSON and compressed files, and CSV faster than COPY, through DuckDB's C API. Both
# parts come from npm packages of DuckDB's makers, of one version, and are checked against the sums below.
#
# Whoever has a release of DuckDB 1.4 already needs none of this: make DUCKDB_DIR=/path/to/it.
set -euo pipefail

version=1.4.4
DUCKDB_DIR=${DUCKDB_DIR:-/usr/local/lib/etl_orchestrator/duckdb-$version}

case $(uname -m) in
  x86_64) library=@duckdb/node-bindings-linux-x64
          library_sum=8ac460b152cd05a95065a414879bb09e40534b1fb7a80a7afe6969b6ce039029 ;;
  aarch64) library=@duckdb/node-bindings-linux-arm64
           library_sum=d3a1dec3ffba3fcefa8a15480c80dc244b109cc004e3414a32fa23681e89b0c5 ;;
  *) library= ;;
esac
header_sum=5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed

if [ -f "$DUCKDB_DIR/libduckdb.so" ] && [ -f "$DUCKDB_DIR/duckdb.h" ]; then
  exit 0
fi
if [ -z "$library" ]; then
  echo "There is no DuckDB package for $(uname -m): only CSV files can be loaded. make DUCKDB_DIR=... takes another one."
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Downloads a package, and takes one file out of it. Usage: take PACKAGE SUM FILE
take() {
  local archive
  archive=$(cd "$work" && npm pack --silent "$1" 2>"$work/npm.log") || { cat "$work/npm.log" >&2; return 1; }
  echo "$2  $work/$archive" | sha256sum --quiet --check -
  tar -xzf "$work/$archive" -C "$work" --strip-components=1 "package/$3"
}

take "$library@$version-r.1" "$library_sum" libduckdb.so
take "duckdb@$version" "$header_sum" src/duckdb/src/include/duckdb.h

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
as_root install -D -m 755 "$work/libduckdb.so" "$DUCKDB_DIR/libduckdb.so"
as_root install -D -m 644 "$work/src/duckdb/src/include/duckdb.h" "$DUCKDB_DIR/duckdb.h"
echo "Installed: DuckDB $version in $DUCKDB_DIR"
