#!/usr/bin/env node
// Writes artifacts/<Contract>.json from what `forge build` left in out/, or with --check fails if they differ.
//
// An artifact is { abi, bytecode, deployedBytecode, immutables }: what a deployment, a client and a genesis need. In the
// deployed bytecode immutables are zero; `immutables` gives each one's byte offsets, 32 bytes at each.
const fs = require("fs");
const path = require("path");

const CONTRACTS = ["GlobalExitRoot", "GlobalExitRootL2", "Groth16Verifier", "MockVerifier", "StateProof", "ZkEVM"];
const root = path.join(__dirname, "..");

// Names of the immutables by the identifiers that the compiler's references use.
function variableNames(node, names = {}) {
  if (Array.isArray(node)) {
    node.forEach((child) => variableNames(child, names));
  } else if (node && typeof node === "object") {
    if (node.nodeType === "VariableDeclaration") names[node.id] = node.name;
    Object.values(node).forEach((child) => variableNames(child, names));
  }
  return names;
}

function artifact(name) {
  const built = JSON.parse(fs.readFileSync(path.join(root, "out", `${name}.sol`, `${name}.json`), "utf8"));
  const names = variableNames(built.ast);
  const immutables = {};
  for (const [id, places] of Object.entries(built.deployedBytecode.immutableReferences ?? {})) {
    if (!(id in names)) throw new Error(`${name}: no name for immutable ${id}`);
    immutables[names[id]] = places.map((place) => place.start).sort((a, b) => a - b);
  }
  const sorted = Object.fromEntries(Object.entries(immutables).sort(([a], [b]) => (a < b ? -1 : 1)));
  const abi = built.abi.map((entry) => "    " + JSON.stringify(entry)).join(",\n");
  return `{
  "abi": [
${abi}
  ],
  "bytecode": "${built.bytecode.object}",
  "deployedBytecode": "${built.deployedBytecode.object}",
  "immutables": ${JSON.stringify(sorted)}
}
`;
}

const check = process.argv.includes("--check");
let stale = 0;
for (const name of CONTRACTS) {
  const file = path.join(root, "artifacts", `${name}.json`);
  const text = artifact(name);
  const current = fs.existsSync(file) && fs.readFileSync(file, "utf8") === text;
  if (current) continue;
  stale += 1;
  if (check) console.error(`artifacts/${name}.json is not current`);
  else fs.writeFileSync(file, text);
}
if (check && stale > 0) {
  console.error("run: npm --prefix contracts run artifacts");
  process.exit(1);
}
console.log(check ? "artifacts are current" : `artifacts: ${stale} written, ${CONTRACTS.length - stale} unchanged`);
