#!/usr/bin/env bash
# Fails unless the contracts compile without a warning and the committed artifacts are what they compile to.
# Needs `npm ci` in contracts/.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
forge build --deny warnings
node scripts/artifacts.js --check
