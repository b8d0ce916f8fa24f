#!/usr/bin/env node
// Lets forge use the npm build of solc: it answers the two command lines forge knows and nothing else.
const fs = require("fs");
const solc = require("solc");

const args = process.argv.slice(2);
if (args.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface");
  console.log("Version: " + solc.version().replace(".Emscripten.clang", ".Linux.g++"));
} else if (args.includes("--standard-json")) {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  console.error("solc-wrapper: unsupported arguments: " + args.join(" "));
  process.exit(1);
}
