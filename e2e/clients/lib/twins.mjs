// Two chains that are given the same signed transactions, and every difference between what they answer.
//
// The reference is an anvil with the chain's number, base fee 0, a block for each transaction and the same accounts. Its
// clock and its receiver of fees are set to those of the chain under test; hashes of blocks are all that may differ.
import assert from "node:assert/strict";
import { HDNodeWallet, toQuantity } from "ethers";
import { eventually } from "./check.mjs";
import { phrase } from "./env.mjs";

/** Gas price of all that is signed here: both chains have base fee 0. */
export const PRICE = 1_000_000_000n;

/** What two chains must agree on in a receipt, in its logs and in a transaction. */
const RECEIPT = ["status", "gasUsed", "cumulativeGasUsed", "logsBloom", "contractAddress", "type", "effectiveGasPrice", "from", "to", "blockNumber", "transactionIndex", "transactionHash"];
const LOG = ["address", "topics", "data", "logIndex", "transactionIndex", "transactionHash", "blockNumber", "removed"];
const TRANSACTION = ["hash", "type", "nonce", "from", "to", "value", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "input", "accessList", "chainId", "v", "r", "s", "yParity", "blockNumber", "transactionIndex"];

const part = (object, names) => Object.fromEntries(names.map((name) => [name, object[name] ?? null]));
const receiptPart = (receipt) => ({ ...part(receipt, RECEIPT), logs: receipt.logs.map((log) => part(log, LOG)) });

/** A chain by its address: JSON-RPC and nothing else. */
export class Chain {
  #url;
  #id = 0;

  constructor(url) {
    this.#url = url;
  }

  /** The whole answer, an error too. */
  async answer(method, params = []) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params });
    const response = await fetch(this.#url, { method: "POST", headers: { "content-type": "application/json" }, body });
    return response.json();
  }

  async ask(method, params = []) {
    const { result, error } = await this.answer(method, params);
    if (error) throw Object.assign(new Error(`${method}: ${error.message} (${error.code})`), { error });
    return result;
  }

  /** Hands in a transaction and returns its receipt. */
  async run(raw) {
    const hash = await this.ask("eth_sendRawTransaction", [raw]);
    let receipt = null;
    await eventually(`receipt of ${hash}`, async () => (receipt = await this.ask("eth_getTransactionReceipt", [hash])));
    return receipt;
  }
}

/** Who signs. Nonces are counted here: both chains start without any. */
export class Actor {
  nonce = 0;

  constructor(index) {
    this.wallet = HDNodeWallet.fromPhrase(phrase, undefined, `m/44'/60'/0'/0/${index}`);
    this.address = this.wallet.address;
  }
}

/** The chain under test and the reference. */
export class Twins {
  /** Addresses whose state is compared at the end. */
  addresses = new Set();
  receipts = [];

  constructor(tested, reference, chainId) {
    this.tested = new Chain(tested);
    this.reference = new Chain(reference);
    this.chainId = chainId;
  }

  /** Checks that both are new. */
  async start() {
    for (const chain of [this.tested, this.reference]) {
      assert.equal(Number(await chain.ask("eth_chainId")), this.chainId);
      assert.equal(Number(await chain.ask("eth_blockNumber")), 0, "a new chain is needed");
    }
  }

  /** Runs a signed transaction on both; the receipts must agree. */
  async submit(raw) {
    const receipt = await this.tested.run(raw);
    const block = await this.tested.ask("eth_getBlockByNumber", [receipt.blockNumber, false]);
    await this.reference.ask("anvil_setCoinbase", [block.miner]);
    await this.reference.ask("evm_setNextBlockTimestamp", [block.timestamp]);
    const expected = await this.reference.run(raw);
    assert.deepEqual(receiptPart(receipt), receiptPart(expected));
    const find = (chain) => chain.ask("eth_getTransactionByHash", [receipt.transactionHash]);
    const got = await find(this.tested);
    let want;
    // anvil has a receipt a moment before the transaction leaves its pool.
    await eventually("the transaction on the reference", async () => (want = await find(this.reference)).blockNumber);
    assert.deepEqual(part(got, TRANSACTION), part(want, TRANSACTION));
    for (const address of [receipt.from, receipt.to, receipt.contractAddress, block.miner, ...receipt.logs.map((log) => log.address)]) {
      if (address) this.addresses.add(address.toLowerCase());
    }
    this.receipts.push(receipt);
    return receipt;
  }

  /** Signs and runs a transaction. `fees` is its type's part. */
  async send(actor, request, status = 1) {
    const fees = request.type === 0 || request.type === 1 ? { gasPrice: PRICE } : { type: 2, maxFeePerGas: 2n * PRICE, maxPriorityFeePerGas: PRICE };
    const tx = { chainId: this.chainId, nonce: actor.nonce++, value: 0n, gasLimit: 5_000_000n, ...fees, ...request };
    const receipt = await this.submit(await actor.wallet.signTransaction(tx));
    assert.equal(Number(receipt.status), status, "status");
    return receipt;
  }

  /** The same request to both. */
  both(method, params) {
    return Promise.all([this.tested.ask(method, params), this.reference.ask(method, params)]);
  }

  /** Asks both; the answers must be the same. */
  async same(method, params) {
    const [got, want] = await this.both(method, params);
    assert.deepEqual(got, want, `${method} ${JSON.stringify(params)}`);
    return got;
  }

  /** A call on both; results or the data of reverts must be the same. */
  async call(request, block = "latest") {
    const params = [request, block];
    const [got, want] = await Promise.all([this.tested.answer("eth_call", params), this.reference.answer("eth_call", params)]);
    const outcome = ({ result, error }) => (error ? { reverted: error.data ?? null } : { result });
    assert.deepEqual(outcome(got), outcome(want), `eth_call ${JSON.stringify(params)}`);
    return got.result ?? got.error.data;
  }

  /** Compares the state of all that took part: balances, nonces, code, the first slots, and all logs. */
  async finish(slots) {
    for (const address of this.addresses) {
      for (const method of ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"]) await this.same(method, [address, "latest"]);
      for (let slot = 0; slot < slots; slot++) await this.same("eth_getStorageAt", [address, toQuantity(slot), "latest"]);
    }
    await this.sameLogs({ fromBlock: "earliest", toBlock: "latest" });
    await this.same("eth_blockNumber", []);
    // State of earlier blocks, half-way.
    const half = toQuantity(Math.floor(this.receipts.length / 2));
    for (const address of this.addresses) {
      for (const method of ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"]) await this.same(method, [address, half]);
    }
  }

  /** Logs of a filter on both. */
  async sameLogs(filter) {
    const [got, want] = await this.both("eth_getLogs", [filter]);
    assert.deepEqual(got.map((log) => part(log, LOG)), want.map((log) => part(log, LOG)), `eth_getLogs ${JSON.stringify(filter)}`);
    return got;
  }
}
