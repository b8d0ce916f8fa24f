// What every script is told: the node's addresses, the chain's number, and the accounts that have ETH.
import { readFileSync } from "node:fs";

/** JSON-RPC over HTTP. */
export const url = process.env.RPC_URL ?? "http://127.0.0.1:8123";
/** JSON-RPC over WebSocket. */
export const wsUrl = process.env.WS_URL ?? url.replace(/^http/, "ws");
/** The chain that must answer. */
export const chainId = Number(process.env.CHAIN_ID ?? 1001);

/** The phrase of anvil and Hardhat: its accounts have ETH on development chains, and nothing anywhere else. */
export const phrase = "test test test test test test test test test test test junk";
/** Keys of its accounts 4 to 6. */
export const keys = [
  "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
  "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
  "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
];

/** ABI and bytecode of a contract of contracts/, as `npm run build` leaves them. */
export function artifact(name) {
  return JSON.parse(readFileSync(new URL(`../artifacts/contracts/${name}.sol/${name}.json`, import.meta.url)));
}
