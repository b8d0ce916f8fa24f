#!/usr/bin/env bash
# Fails unless the dashboard's vendored files are, byte for byte, those of the pinned npm package; npm checks the package
# against the hash in package-lock.json. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")"
vendor="$PWD/../src/dashboard/vendor"
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cp package.json package-lock.json "$dir"
(cd "$dir" && npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --silent)
cmp "$dir/node_modules/uplot/dist/uPlot.iife.min.js" "$vendor/uPlot.iife.min.js"
cmp "$dir/node_modules/uplot/dist/uPlot.min.css" "$vendor/uPlot.min.css"
cmp "$dir/node_modules/uplot/LICENSE" "$vendor/LICENSE"
