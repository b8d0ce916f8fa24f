// Hardhat as people configure it for a chain that is given by its address. The compiler is the one of package.json.
import { fileURLToPath } from "node:url";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import { defineConfig } from "hardhat/config";
import { chainId, keys, url } from "./lib/env.mjs";

export default defineConfig({
  plugins: [hardhatEthers, hardhatNodeTestRunner],
  paths: { sources: "contracts", tests: "hardhat", cache: "node_modules/.cache/hardhat", artifacts: "artifacts" },
  solidity: {
    version: "0.8.37",
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
    settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    cairn: { type: "http", url, chainId, accounts: keys },
  },
});
