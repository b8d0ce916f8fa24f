// viem against a node: everything that an application does with it. Exits with an error at the first difference.
import assert from "node:assert/strict";
import {
  BaseError,
  ContractFunctionRevertedError,
  InsufficientFundsError,
  NonceTooLowError,
  createPublicClient,
  createWalletClient,
  defineChain,
  getContract,
  http,
  parseEther,
  webSocket,
} from "viem";
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { eventually, step } from "./lib/check.mjs";
import { artifact, chainId, phrase, url, wsUrl } from "./lib/env.mjs";

const { abi, bytecode, deployedBytecode } = artifact("Probe");
const chain = defineChain({
  id: chainId,
  name: "Cairn devnet",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [url], webSocket: [wsUrl] } },
});
// viem keeps the block number for as long as it polls; here blocks come faster.
const options = { chain, pollingInterval: 50, cacheTime: 0 };
const client = createPublicClient({ ...options, transport: http() });
const batching = createPublicClient({ ...options, transport: http(url, { batch: { wait: 10 } }) });
const sockets = createPublicClient({ ...options, transport: webSocket() });
const account = mnemonicToAccount(phrase, { addressIndex: 4 });
const wallet = createWalletClient({ ...options, account, transport: http() });
const other = createWalletClient({ ...options, account: mnemonicToAccount(phrase, { addressIndex: 5 }), transport: http() });
const stranger = "0x00000000000000000000000000000000000c11e7";

const receiptOf = (hash) => client.waitForTransactionReceipt({ hash, timeout: 20_000 });

/** The cause of an error, of a class. */
const cause = (error, kind) => {
  assert.ok(error instanceof BaseError, error);
  const found = error.walk((e) => e instanceof kind);
  assert.ok(found, error);
  return found;
};

await step("network over HTTP and WebSocket", async () => {
  assert.equal(await client.getChainId(), chainId);
  assert.equal(await sockets.getChainId(), chainId);
  assert.equal(await sockets.getBlockNumber(), await client.getBlockNumber());
  assert.ok((await client.getBalance({ address: account.address })) > parseEther("1"));
});

await step("fee data", async () => {
  const gasPrice = await client.getGasPrice();
  const fees = await client.estimateFeesPerGas();
  assert.ok(gasPrice > 0n && fees.maxFeePerGas >= fees.maxPriorityFeePerGas);
  assert.ok((await client.estimateMaxPriorityFeePerGas()) <= fees.maxFeePerGas);
  assert.equal((await client.estimateFeesPerGas({ type: "legacy" })).gasPrice >= gasPrice, true);
  const history = await client.getFeeHistory({ blockCount: 1, rewardPercentiles: [25, 75] });
  assert.deepEqual([history.baseFeePerGas.length, history.reward[0].length], [2, 2]);
});

await step("transactions of each type", async () => {
  const before = await client.getBalance({ address: stranger });
  const gasPrice = await client.getGasPrice();
  const accessList = [{ address: other.account.address, storageKeys: [`0x${"00".repeat(32)}`] }];
  const requests = [
    ["eip1559", {}],
    ["eip1559", { accessList }],
    ["legacy", { type: "legacy" }],
    ["legacy", { gasPrice }],
    ["eip2930", { type: "eip2930", accessList: [] }],
    ["eip2930", { type: "eip2930", accessList }],
  ];
  for (const [type, request] of requests) {
    const hash = await wallet.sendTransaction({ to: stranger, value: 1000n, ...request });
    const receipt = await receiptOf(hash);
    assert.deepEqual([receipt.status, receipt.type, receipt.transactionHash], ["success", type, hash]);
    const found = await client.getTransaction({ hash });
    assert.deepEqual([found.type, found.value, found.to], [type, 1000n, stranger]);
    assert.equal(receipt.gasUsed, 21000n + (request.accessList?.length ? 4300n : 0n));
    assert.deepEqual(found.accessList?.length ?? 0, request.accessList?.length ?? 0);
    assert.ok(receipt.effectiveGasPrice > 0n);
  }
  assert.equal((await client.getBalance({ address: stranger })) - before, BigInt(requests.length) * 1000n);
});

let deployed;
const probe = await step("deployment", async () => {
  deployed = await receiptOf(await wallet.deployContract({ abi, bytecode, args: [7n], value: 5n }));
  const address = deployed.contractAddress;
  assert.equal(deployed.status, "success");
  assert.equal(await client.getCode({ address }), deployedBytecode);
  assert.equal(await client.getBalance({ address }), 5n);
  return getContract({ abi, address, client: { public: client, wallet } });
});
const contract = { abi, address: probe.address };

await step("estimates, simulations, writes and calls with results", async () => {
  const gas = await probe.estimateGas.store([8n, "eight"]);
  const { request } = await client.simulateContract({ ...contract, functionName: "store", args: [8n, "eight"], account });
  const receipt = await receiptOf(await wallet.writeContract(request));
  assert.ok(receipt.status === "success" && receipt.gasUsed <= gas, `${receipt.gasUsed} used, ${gas} estimated`);
  await receiptOf(await probe.write.store([9n, "nine"]));
  const [self, stored, name] = await probe.read.summary();
  assert.deepEqual([self.toLowerCase(), stored, name], [probe.address, 9n, "probe"]);
  assert.equal(await probe.read.divide([7n, 2n]), 3n);
  assert.equal(BigInt(await client.getStorageAt({ address: probe.address, slot: "0x0" })), 9n);
});

await step("state of earlier blocks", async () => {
  const { blockNumber } = deployed;
  assert.equal(await probe.read.value({ blockNumber }), 7n);
  assert.equal(await client.getCode({ address: probe.address, blockNumber: blockNumber - 1n }), undefined);
  assert.equal(await client.getTransactionCount({ address: account.address, blockTag: "earliest" }), 0);
});

await step("reverts: Error, a custom error, Panic", async () => {
  const reverted = async (call) => {
    const error = await call.then(() => assert.fail("no revert"), (e) => e);
    return cause(error, ContractFunctionRevertedError);
  };
  const simulate = (args) => client.simulateContract({ ...contract, functionName: "store", args, account });
  assert.equal((await reverted(simulate([13n, ""]))).reason, "unlucky");
  const { data } = await reverted(simulate([1001n, ""]));
  assert.deepEqual([data.errorName, data.args], ["TooBig", [1001n, 1000n]]);
  const panic = await reverted(probe.read.divide([1n, 0n]));
  assert.deepEqual([panic.data.errorName, panic.data.args], ["Panic", [18n]]);
  assert.equal((await reverted(probe.estimateGas.store([1001n, ""]))).data.errorName, "TooBig");
  const failed = await receiptOf(await probe.write.store([13n, ""], { gas: 100_000n }));
  assert.equal(failed.status, "reverted");
});

await step("errors of sending, by viem's classes", async () => {
  const send = (from, request) => from.sendTransaction({ to: stranger, value: 1n, gas: 21_000n, ...request }).then(() => assert.fail("sent"), (e) => e);
  cause(await send(wallet, { nonce: 0 }), NonceTooLowError);
  const poor = createWalletClient({ ...options, account: privateKeyToAccount(generatePrivateKey()), transport: http() });
  cause(await send(poor, {}), InsufficientFundsError);
});

await step("logs by filter", async () => {
  const fromBlock = deployed.blockNumber;
  const logs = await probe.getEvents.Stored({}, { fromBlock });
  assert.deepEqual(logs.map((log) => [log.args.value, log.args.note, log.logIndex]), [[8n, "eight", 0], [9n, "nine", 0]]);
  assert.deepEqual((await probe.getEvents.Stored({ value: [9n, 10n] }, { fromBlock })).map((log) => log.args.note), ["nine"]);
  const filter = await probe.createEventFilter.Stored({ from: account.address }, { fromBlock });
  assert.equal((await client.getFilterLogs({ filter })).length, 2);
  const news = await client.createContractEventFilter({ abi, address: probe.address, eventName: "Stored" });
  const blocks = await client.createBlockFilter();
  const { blockHash } = await receiptOf(await probe.write.store([10n, "ten"]));
  assert.deepEqual((await client.getFilterChanges({ filter: news })).map((log) => log.args.note), ["ten"]);
  assert.ok((await client.getFilterChanges({ filter: blocks })).includes(blockHash));
  assert.deepEqual(await client.getFilterChanges({ filter: news }), []);
  assert.equal(await client.uninstallFilter({ filter: news }), true);
  assert.equal(await client.uninstallFilter({ filter: news }), false);
});

await step("logs, blocks and pending transactions by polling and by subscription", async () => {
  const seen = { polled: [], pushed: [], blocks: [], pending: [] };
  const onError = (error) => assert.fail(error);
  const event = { abi, address: probe.address, eventName: "Stored", onError };
  const stop = [
    client.watchContractEvent({ ...event, onLogs: (logs) => seen.polled.push(...logs.map((log) => log.args.value)) }),
    sockets.watchContractEvent({ ...event, onLogs: (logs) => seen.pushed.push(...logs.map((log) => log.args.value)) }),
    sockets.watchBlocks({ onBlock: (block) => seen.blocks.push(block.number), onError }),
    sockets.watchPendingTransactions({ onTransactions: (hashes) => seen.pending.push(...hashes), onError }),
  ];
  // Subscriptions and filters are requested at once but answered later: events go on until all were seen.
  let value = 100n;
  let receipt;
  await eventually("events and blocks at all watchers", async () => {
    receipt = await receiptOf(await probe.write.store([++value, "event"]));
    return Object.values(seen).every((list) => list.length > 0);
  });
  const last = value;
  await eventually("the last event and block at all watchers", () =>
    [seen.polled.includes(last), seen.pushed.includes(last), seen.blocks.includes(receipt.blockNumber), seen.pending.includes(receipt.transactionHash)].every(Boolean),
  );
  for (const values of [seen.polled, seen.pushed]) {
    const first = values[0];
    assert.deepEqual(values, [...Array(Number(last - first) + 1)].map((_, i) => first + BigInt(i)));
  }
  for (const end of stop) end();
});

await step("nonces: pending, and many at once", async () => {
  const { address } = other.account;
  const count = (blockTag) => client.getTransactionCount({ address, blockTag });
  const start = await count("pending");
  const send = (_, i) => other.sendTransaction({ to: stranger, value: 1n, gas: 21_000n, nonce: start + i });
  const hashes = await Promise.all([...Array(8)].map(send));
  assert.equal(await count("pending"), start + 8);
  for (const receipt of await Promise.all(hashes.map(receiptOf))) assert.equal(receipt.status, "success");
  assert.equal(await count("latest"), start + 8);
});

await step("confirmations", async () => {
  const hash = await wallet.sendTransaction({ to: stranger, value: 1n });
  const confirmed = client.waitForTransactionReceipt({ hash, confirmations: 3, timeout: 20_000 });
  for (let i = 0; i < 2; i++) await receiptOf(await other.sendTransaction({ to: stranger, value: 1n }));
  const receipt = await confirmed;
  assert.equal(receipt.transactionHash, hash);
  assert.ok((await client.getTransactionConfirmations({ transactionReceipt: receipt })) >= 3n);
});

await step("blocks by tag and with transactions", async () => {
  const [latest, safe, finalized, earliest] = await Promise.all(
    ["latest", "safe", "finalized", "earliest"].map((blockTag) => client.getBlock({ blockTag })),
  );
  assert.ok(finalized.number <= safe.number && safe.number <= latest.number);
  assert.equal(earliest.number, 0n);
  const block = await client.getBlock({ blockHash: latest.hash, includeTransactions: true });
  assert.equal(block.transactions[0].blockHash, latest.hash);
  assert.equal((await client.getBlock({ blockNumber: latest.number - 1n })).hash, latest.parentHash);
  assert.equal(await client.getBlockTransactionCount({ blockHash: latest.hash }), latest.transactions.length);
  await assert.rejects(client.getBlock({ blockNumber: latest.number + 1_000_000n }), { name: "BlockNotFoundError" });
  await assert.rejects(client.getTransaction({ hash: `0x${"ab".repeat(32)}` }), { name: "TransactionNotFoundError" });
  await assert.rejects(client.getTransactionReceipt({ hash: `0x${"ab".repeat(32)}` }), { name: "TransactionReceiptNotFoundError" });
});

await step("a batch of requests in one", async () => {
  const [number, balance, stored, failure, id] = await Promise.all([
    batching.getBlockNumber(),
    batching.getBalance({ address: probe.address }),
    batching.readContract({ ...contract, functionName: "value" }),
    batching.readContract({ ...contract, functionName: "divide", args: [1n, 0n] }).catch((e) => e),
    batching.getChainId(),
  ]);
  assert.deepEqual([number > 0n, balance, stored > 100n, id], [true, 5n, true, chainId]);
  cause(failure, ContractFunctionRevertedError);
  await assert.rejects(client.request({ method: "eth_noSuchMethod" }), { code: -32601 });
});

await step("signed messages of the account, checked by the node", async () => {
  const message = "Cairn";
  const signature = await account.signMessage({ message });
  assert.ok(await client.verifyMessage({ address: account.address, message, signature }));
  assert.ok(!(await client.verifyMessage({ address: other.account.address, message, signature })));
});

(await sockets.transport.getRpcClient()).close();
