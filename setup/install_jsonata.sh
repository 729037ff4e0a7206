#!/usr/bin/env bash
# Puts JSONata's library where the Makefiles look for it. Called by install_packages.sh.
#
# State machines with QueryLanguage JSONata are evaluated by the reference implementation, whose text becomes a part of
# the extension when it is built. It comes as an npm package, and is checked against the sum below.
#
# Whoever has that file already needs none of this: make JSONATA_DIR=/path/to/its/directory.
set -euo pipefail

version=1.8.7
sum=aab78054f9fc96c6c638b2f3bedb1beae85ca32f2da02dc7b53a6f21f078b5d9
JSONATA_DIR=${JSONATA_DIR:-/usr/local/lib/etl_orchestrator/jsonata-$version}

if [ -f "$JSONATA_DIR/jsonata-es5.js" ]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archive=$(cd "$work" && npm pack --silent "jsonata@$version" 2>"$work/npm.log") || { cat "$work/npm.log" >&2; exit 1; }
echo "$sum  $work/$archive" | sha256sum --quiet --check -
tar -xzf "$work/$archive" -C "$work" --strip-components=1 package/jsonata-es5.js package/LICENSE

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
as_root install -D -m 644 "$work/LICENSE" "$JSONATA_DIR/LICENSE"
as_root install -D -m 644 "$work/jsonata-es5.js" "$JSONATA_DIR/jsonata-es5.js"
echo "Installed: JSONata $version in $JSONATA_DIR"
