// web3.js against a node: everything that an application does with it. Exits with an error at the first difference.
import assert from "node:assert/strict";
import { ContractExecutionError, Web3 } from "web3";
import { eventually, step } from "./lib/check.mjs";
import { artifact, chainId, keys, url, wsUrl } from "./lib/env.mjs";

const { abi, bytecode, deployedBytecode } = artifact("Probe");
const connect = (address) => {
  const web3 = new Web3(address);
  Object.assign(web3.eth, { transactionPollingInterval: 50, transactionReceiptPollingInterval: 50, transactionConfirmationBlocks: 3 });
  // Asks why a transaction of a block failed.
  web3.eth.handleRevert = true;
  for (const key of keys) web3.eth.accounts.wallet.add(key);
  return web3;
};
const web3 = connect(url);
const sockets = connect(wsUrl);
const [sender, other] = [...web3.eth.accounts.wallet].map((account) => account.address);
const stranger = "0x00000000000000000000000000000000000c11e7";

await step("network over HTTP and WebSocket", async () => {
  assert.equal(await web3.eth.getChainId(), BigInt(chainId));
  assert.equal(await sockets.eth.getChainId(), BigInt(chainId));
  assert.equal(await web3.eth.net.getId(), BigInt(chainId));
  assert.equal(await web3.eth.net.isListening(), true);
  assert.equal(await web3.eth.isSyncing(), false);
  assert.match(await web3.eth.getNodeInfo(), /./);
  assert.equal(await sockets.eth.getBlockNumber(), await web3.eth.getBlockNumber());
  assert.ok((await web3.eth.getBalance(sender)) > 10n ** 18n);
});

await step("fee data", async () => {
  const gasPrice = await web3.eth.getGasPrice();
  assert.ok(gasPrice > 0n);
  const fees = await web3.eth.calculateFeeData();
  assert.ok(fees.gasPrice > 0n);
  assert.ok((await web3.eth.getMaxPriorityFeePerGas()) <= gasPrice);
  const history = await web3.eth.getFeeHistory(1, "latest", [50]);
  assert.deepEqual([history.baseFeePerGas.length, history.reward[0].length], [2, 1]);
});

await step("transactions of each type", async () => {
  const before = await web3.eth.getBalance(stranger);
  // web3.js takes 21,000 for the cost of any transfer.
  const accessList = { accessList: [{ address: other, storageKeys: [] }], gas: 30_000n };
  const gasPrice = await web3.eth.getGasPrice();
  const requests = [
    [2n, {}],
    [2n, { type: 2, maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice, ...accessList }],
    [0n, { type: 0 }],
    [1n, { type: 1, accessList: [] }],
    [1n, { type: 1, ...accessList }],
  ];
  for (const [type, request] of requests) {
    const receipt = await web3.eth.sendTransaction({ from: sender, to: stranger, value: 1000n, ...request });
    assert.deepEqual([receipt.status, receipt.type], [1n, type]);
    assert.equal(receipt.gasUsed, 21000n + (request.accessList?.length ? 2400n : 0n));
    const found = await web3.eth.getTransaction(receipt.transactionHash);
    assert.deepEqual([found.type, found.value, found.blockHash], [type, 1000n, receipt.blockHash]);
  }
  assert.equal((await web3.eth.getBalance(stranger)) - before, BigInt(requests.length) * 1000n);
});

let receipt;
const probe = await step("deployment", async () => {
  const contract = new web3.eth.Contract(abi);
  const deployed = await contract.deploy({ data: bytecode, arguments: [7n] }).send({ from: sender, value: "5" }).on("receipt", (r) => (receipt = r));
  assert.equal(deployed.options.address.toLowerCase(), receipt.contractAddress.toLowerCase());
  assert.equal(await web3.eth.getCode(receipt.contractAddress), deployedBytecode);
  assert.equal(await web3.eth.getBalance(receipt.contractAddress), 5n);
  return deployed;
});
const { methods } = probe;
const address = probe.options.address;

await step("estimates, writes and calls with results", async () => {
  const gas = await methods.store(8n, "eight").estimateGas({ from: sender });
  const written = await methods.store(8n, "eight").send({ from: sender });
  assert.ok(written.status === 1n && written.gasUsed <= gas, `${written.gasUsed} used, ${gas} estimated`);
  assert.deepEqual([written.events.Stored.returnValues.value, written.events.Stored.returnValues.note], [8n, "eight"]);
  await methods.store(9n, "nine").send({ from: sender });
  const { self, stored, name } = await methods.summary().call();
  assert.deepEqual([self, stored, name], [address, 9n, "probe"]);
  assert.equal(await methods.divide(7n, 2n).call(), 3n);
  assert.equal(BigInt(await web3.eth.getStorageAt(address, 0)), 9n);
});

await step("state of earlier blocks", async () => {
  assert.equal(await methods.value().call({}, receipt.blockNumber), 7n);
  assert.equal(await web3.eth.getCode(address, receipt.blockNumber - 1n), "0x");
  assert.equal(await web3.eth.getTransactionCount(sender, "earliest"), 0n);
});

await step("reverts: Error, a custom error, Panic", async () => {
  const failure = async (call) => {
    const error = await call.then(() => assert.fail("no revert"), (e) => e);
    assert.ok(error instanceof ContractExecutionError, error);
    return error.cause;
  };
  assert.match((await failure(methods.store(13n, "").call({ from: sender }))).message, /unlucky/);
  const custom = await failure(methods.store(1001n, "").call({ from: sender }));
  assert.deepEqual([custom.errorName, custom.errorArgs.got, custom.errorArgs.limit], ["TooBig", 1001n, 1000n]);
  const panic = await failure(methods.divide(1n, 0n).call());
  assert.equal(panic.data, `0x4e487b71${"12".padStart(64, "0")}`);
  await assert.rejects(methods.store(13n, "").estimateGas({ from: sender }), (e) => /unlucky/.test(e.cause.message));
  await assert.rejects(methods.store(13n, "").send({ from: sender, gas: "100000" }));
  // A failure that is in a block.
  web3.eth.handleRevert = false;
  const sent = web3.eth.sendTransaction(
    { from: sender, to: address, data: methods.store(13n, "").encodeABI(), gas: 100_000n },
    undefined,
    { checkRevertBeforeSending: false },
  );
  await assert.rejects(sent, (e) => e.receipt.status === 0n);
});

await step("errors of sending", async () => {
  const raw = async (key, request) => {
    const tx = { to: stranger, value: 1n, gas: 21_000n, gasPrice: await web3.eth.getGasPrice(), chainId, ...request };
    const { rawTransaction } = await web3.eth.accounts.signTransaction(tx, key);
    return web3.eth.sendSignedTransaction(rawTransaction, undefined, { checkRevertBeforeSending: false });
  };
  await assert.rejects(raw(keys[0], { nonce: 0 }), /nonce too low/);
  await assert.rejects(raw(web3.eth.accounts.create().privateKey, { nonce: 0 }), /insufficient funds/i);
});

await step("logs by filter", async () => {
  const fromBlock = receipt.blockNumber;
  const logs = await probe.getPastEvents("Stored", { fromBlock });
  assert.deepEqual(logs.map((log) => [log.returnValues.value, log.returnValues.note, log.logIndex]), [[8n, "eight", 0n], [9n, "nine", 0n]]);
  assert.deepEqual((await probe.getPastEvents("Stored", { fromBlock, filter: { value: 9n } })).map((log) => log.returnValues.note), ["nine"]);
  assert.equal((await web3.eth.getPastLogs({ address, fromBlock })).length, 2);
});

await step("logs, heads and pending transactions by subscription", async () => {
  const seen = { logs: [], heads: [], pending: [], events: [] };
  const subscriptions = [
    [await sockets.eth.subscribe("logs", { address }), (log) => seen.logs.push(BigInt(log.topics[2]))],
    [await sockets.eth.subscribe("newHeads"), (head) => seen.heads.push(head.number)],
    [await sockets.eth.subscribe("newPendingTransactions"), (hash) => seen.pending.push(hash)],
    [new sockets.eth.Contract(abi, address).events.Stored({}), (event) => seen.events.push(event.returnValues.value)],
  ];
  for (const [subscription, take] of subscriptions) subscription.on("data", take);
  // The contract's subscription has no word for when it is there.
  await eventually("the contract's subscription", () => subscriptions[3][0].id !== undefined);
  const receipts = [];
  for (const value of [21n, 22n, 23n]) receipts.push(await methods.store(value, "event").send({ from: sender }));
  const all = (seenList, list) => list.every((item) => seenList.includes(item));
  await eventually("heads", () => all(seen.heads, receipts.map((r) => r.blockNumber)));
  await eventually("pending transactions", () => all(seen.pending, receipts.map((r) => r.transactionHash)));
  await eventually("logs", () => seen.logs.length === 3 && seen.events.length === 3);
  assert.deepEqual([seen.logs, seen.events], [[21n, 22n, 23n], [21n, 22n, 23n]]);
  for (const [subscription] of subscriptions) await subscription.unsubscribe();
});

await step("nonces: pending, and many at once", async () => {
  const start = await web3.eth.getTransactionCount(other, "pending");
  const send = (_, i) => web3.eth.sendTransaction({ from: other, to: stranger, value: 1n, gas: 21_000n, nonce: start + BigInt(i) });
  for (const done of await Promise.all([...Array(8)].map(send))) assert.equal(done.status, 1n);
  assert.equal(await web3.eth.getTransactionCount(other, "pending"), start + 8n);
  assert.equal(await web3.eth.getTransactionCount(other, "latest"), start + 8n);
});

await step("confirmations", async () => {
  const confirmations = [];
  const sent = web3.eth.sendTransaction({ from: sender, to: stranger, value: 1n });
  sent.on("confirmation", ({ confirmations: n }) => confirmations.push(n));
  await sent;
  for (let i = 0; i < 2; i++) await web3.eth.sendTransaction({ from: other, to: stranger, value: 1n });
  await eventually("three confirmations", () => confirmations.includes(3n));
});

await step("blocks by tag and with transactions", async () => {
  const [latest, safe, finalized, earliest] = await Promise.all(["latest", "safe", "finalized", "earliest"].map((tag) => web3.eth.getBlock(tag)));
  assert.ok(finalized.number <= safe.number && safe.number <= latest.number);
  assert.equal(earliest.number, 0n);
  const block = await web3.eth.getBlock(latest.hash, true);
  assert.equal(block.transactions[0].blockHash, latest.hash);
  assert.equal(await web3.eth.getBlockTransactionCount(latest.number), BigInt(latest.transactions.length));
  const first = await web3.eth.getTransactionFromBlock(latest.number, 0);
  assert.equal(first.hash, latest.transactions[0]);
  await assert.rejects(web3.eth.getTransactionReceipt(`0x${"ab".repeat(32)}`), { name: "TransactionNotFound" });
});

await step("a batch of requests in one", async () => {
  const batch = new web3.BatchRequest();
  const answers = ["eth_chainId", "eth_blockNumber", "eth_noSuchMethod"].map((method, id) => batch.add({ jsonrpc: "2.0", id: id + 1, method, params: [] }));
  const refused = assert.rejects(answers[2]);
  await batch.execute();
  assert.equal(Number(await answers[0]), chainId);
  assert.ok(Number(await answers[1]) > 0);
  await refused;
});

sockets.currentProvider.disconnect();
// web3.js goes on waiting for transactions that were refused.
process.exit();
