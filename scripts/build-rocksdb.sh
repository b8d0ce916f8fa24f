#!/usr/bin/env bash
# Builds librocksdb.a once, twenty source files to a compilation unit (minutes instead of twenty), into the directory
# named by the first argument, for use as ROCKSDB_LIB_DIR. An accelerator: a plain `cargo build` works without it.
# It does not download anything: run `cargo fetch` first.
set -euo pipefail
out=${1:?usage: scripts/build-rocksdb.sh OUTPUT_DIR}
[ -f "$out/librocksdb.a" ] && exit 0
cargo_home=${CARGO_HOME:-$HOME/.cargo}
src=$(ls -d "$cargo_home"/registry/src/*/librocksdb-sys-0.19.0* | head -1)
lz4=$(ls -d "$cargo_home"/registry/src/*/lz4-sys-*/liblz4/lib | head -1)
cxx=$(command -v clang++-14 || command -v clang++ || command -v g++)
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
flags="-O2 -DNDEBUG -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT
 -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT -DHAVE_ALIGNED_NEW
 -DHAVE_UINT128_EXTENSION -DLZ4=1 -std=c++20 -fPIC -include cstdint -ffunction-sections -fdata-sections -w
 -I $src/rocksdb/include -I $src/rocksdb -I $src -I $lz4"
grep '\.cc$' "$src/rocksdb_lib_sources.txt" | grep -v '^util/build_version.cc' \
  | sed "s#.*#\#include \"$src/rocksdb/&\"#" | split -l 20 --additional-suffix=.cc - unit_
echo "building RocksDB: $(ls unit_*.cc | wc -l) units on $(nproc) cores"
ls unit_*.cc | xargs -P"$(nproc)" -I{} sh -c "$cxx $(echo $flags) -c {} -o {}.o && echo '  {} done'"
$cxx $flags -c "$src/build_version.cc" -o build_version.o
mkdir -p "$out"
ar rcs "$tmp/librocksdb.a" unit_*.o build_version.o
mv "$tmp/librocksdb.a" "$out/librocksdb.a"
