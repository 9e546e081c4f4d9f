#!/usr/bin/env bash
# Runs the five-minute tour of README.md, with its very words: every bash block
# between the markers, in a temporary folder. The binary must be built.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN_DIR:-$root/target/release}
folder=$(mktemp -d)
# What the tour left running when it failed ends with it.
trap 'for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done; rm -rf "$folder"' EXIT

sed -n '/<!-- tour:begin -->/,/<!-- tour:end -->/p' "$root/README.md" |
    awk '/^```bash$/ { inside = 1; next } /^```$/ { inside = 0 } inside' >"$folder/tour"
test -s "$folder/tour"

export PATH="$bin:$PATH"
cd "$folder"
# Sourced, so that the trap knows the server that the tour starts.
source "$folder/tour"
echo "The tour of README.md ran to its end."
