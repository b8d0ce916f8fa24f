// ethers against a node: everything that an application does with it. Exits with an error at the first difference.
import assert from "node:assert/strict";
import { Contract, ContractFactory, HDNodeWallet, JsonRpcProvider, NonceManager, WebSocketProvider, isError, parseEther } from "ethers";
import { artifact, chainId, phrase, url, wsUrl } from "./lib/env.mjs";
import { eventually, step } from "./lib/check.mjs";

const { abi, bytecode } = artifact("Probe");
// ethers keeps answers for 250 ms, which is longer than a block here: nonces would be old.
const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
const sockets = new WebSocketProvider(wsUrl);
const account = (index) => HDNodeWallet.fromPhrase(phrase, undefined, `m/44'/60'/0'/0/${index}`);
const sender = account(4).connect(provider);
const other = account(5).connect(provider);
const stranger = "0x00000000000000000000000000000000000c11e7";

await step("network over HTTP and WebSocket", async () => {
  assert.equal((await provider.getNetwork()).chainId, BigInt(chainId));
  assert.equal((await sockets.getNetwork()).chainId, BigInt(chainId));
  assert.equal(await sockets.getBlockNumber(), await provider.getBlockNumber());
  assert.ok((await provider.getBalance(sender.address)) > parseEther("1"));
});

await step("fee data", async () => {
  const fees = await provider.getFeeData();
  assert.ok(fees.gasPrice > 0n);
  // ethers takes a chain whose base fee is 0 for one without EIP-1559: it proposes a gas price alone.
  const { baseFeePerGas } = await provider.getBlock("latest");
  assert.equal(fees.maxFeePerGas !== null, baseFeePerGas > 0n);
  assert.ok(BigInt(await provider.send("eth_maxPriorityFeePerGas", [])) <= fees.gasPrice);
  const history = await provider.send("eth_feeHistory", ["0x1", "latest", [50]]);
  assert.equal(history.baseFeePerGas.length, 2);
});

await step("transactions of each type", async () => {
  const before = await provider.getBalance(stranger);
  const { gasPrice } = await provider.getFeeData();
  const accessList = [{ address: other.address, storageKeys: [] }];
  const requests = [
    [(await provider.getBlock("latest")).baseFeePerGas ? 2 : 0, {}],
    [0, { type: 0, gasPrice }],
    [1, { type: 1, gasPrice, accessList: [] }],
    [1, { type: 1, gasPrice, accessList }],
    [2, { maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice }],
    [2, { type: 2, maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice, accessList }],
  ];
  for (const [type, request] of requests) {
    const sent = await sender.sendTransaction({ to: stranger, value: 1000n, ...request });
    const receipt = await sent.wait();
    assert.deepEqual([receipt.status, receipt.type, receipt.hash], [1, type, sent.hash]);
    const listed = request.accessList?.length ?? 0;
    assert.equal(receipt.gasUsed, 21000n + 2400n * BigInt(listed));
    const found = await provider.getTransaction(sent.hash);
    assert.deepEqual([found.type, found.from, found.to.toLowerCase(), found.value], [type, sender.address, stranger, 1000n]);
    assert.equal(found.blockHash, receipt.blockHash);
    assert.equal(found.accessList?.length ?? 0, listed);
    assert.equal(found.signature.v === 27 || found.signature.v === 28, true);
  }
  assert.equal((await provider.getBalance(stranger)) - before, BigInt(requests.length) * 1000n);
});

const probe = await step("deployment", async () => {
  const factory = new ContractFactory(abi, bytecode, sender);
  const contract = await factory.deploy(7, { value: 5n });
  await contract.waitForDeployment();
  const receipt = await contract.deploymentTransaction().wait();
  assert.equal(receipt.contractAddress, await contract.getAddress());
  assert.equal(await provider.getCode(contract), artifact("Probe").deployedBytecode);
  assert.equal(await provider.getBalance(contract), 5n);
  assert.equal(await contract.value(), 7n);
  return contract;
});
const deployedAt = (await probe.deploymentTransaction().wait()).blockNumber;

await step("estimates, writes and calls with results", async () => {
  const gas = await probe.store.estimateGas(8, "eight");
  const receipt = await (await probe.store(8, "eight")).wait();
  assert.ok(receipt.gasUsed <= gas, `${receipt.gasUsed} used, ${gas} estimated`);
  const exact = await (await probe.store(9, "nine", { gasLimit: await probe.store.estimateGas(9, "nine") })).wait();
  assert.equal(exact.status, 1);
  const [self, stored, name] = await probe.summary();
  assert.deepEqual([self, stored, name], [await probe.getAddress(), 9n, "probe"]);
  assert.equal(await probe.divide(7, 2), 3n);
  assert.equal(BigInt(await provider.getStorage(probe, 0)), 9n);
});

await step("state of earlier blocks", async () => {
  assert.equal(await probe.value({ blockTag: deployedAt }), 7n);
  assert.equal(await provider.getCode(probe, deployedAt - 1), "0x");
  assert.equal(await provider.getTransactionCount(sender.address, 0), 0);
});

await step("reverts: Error, a custom error, Panic", async () => {
  await assert.rejects(probe.store.staticCall(13, ""), (e) => isError(e, "CALL_EXCEPTION") && e.reason === "unlucky");
  await assert.rejects(probe.store.staticCall(1001, ""), (e) => {
    assert.deepEqual([e.revert.name, e.revert.args.toArray()], ["TooBig", [1001n, 1000n]]);
    return isError(e, "CALL_EXCEPTION");
  });
  await assert.rejects(probe.divide(1, 0), (e) => isError(e, "CALL_EXCEPTION") && /DIVIDE_BY_ZERO/.test(e.reason));
  await assert.rejects(probe.store.estimateGas(1001, ""), (e) => isError(e, "CALL_EXCEPTION") && probe.interface.parseError(e.data).name === "TooBig");
  // A failure that is in a block.
  const failed = await probe.store(13, "", { gasLimit: 100_000 });
  await assert.rejects(failed.wait(), (e) => isError(e, "CALL_EXCEPTION") && e.receipt.status === 0);
});

await step("errors of sending, by ethers' codes", async () => {
  const nonce = await sender.getNonce();
  await assert.rejects(sender.sendTransaction({ to: stranger, nonce: nonce - 1 }), (e) => isError(e, "NONCE_EXPIRED"));
  const poor = HDNodeWallet.createRandom().connect(provider);
  await assert.rejects(poor.sendTransaction({ to: stranger, value: 1n, gasLimit: 21000 }), (e) => isError(e, "INSUFFICIENT_FUNDS"));
});

await step("logs by filter", async () => {
  const logs = await probe.queryFilter("Stored", deployedAt);
  assert.deepEqual(logs.map((log) => [log.args.from, log.args.value, log.args.note]), [
    [sender.address, 8n, "eight"],
    [sender.address, 9n, "nine"],
  ]);
  const one = await probe.queryFilter(probe.filters.Stored(null, 9), deployedAt);
  assert.deepEqual(one.map((log) => [log.args.note, log.index, log.removed]), [["nine", 0, false]]);
  assert.deepEqual(await probe.queryFilter(probe.filters.Stored(other.address), deployedAt), []);
  assert.equal((await provider.getLogs({ address: await probe.getAddress(), blockHash: one[0].blockHash })).length, 1);
});

await step("logs and blocks by polling and by subscription", async () => {
  const seen = { polled: [], pushed: [], blocks: [], polledBlocks: [] };
  const pushed = new Contract(await probe.getAddress(), abi, sockets);
  await probe.on("Stored", (_from, value) => seen.polled.push(value));
  await pushed.on("Stored", (_from, value) => seen.pushed.push(value));
  await sockets.on("block", (number) => seen.blocks.push(number));
  await provider.on("block", (number) => seen.polledBlocks.push(number));
  // The subscriptions are there once the node has answered on the same connection; the polled ones start at a block.
  await sockets.getBlockNumber();
  await provider.getBlockNumber();
  const blocks = [];
  for (const value of [21, 22, 23]) blocks.push((await (await probe.store(value, "event")).wait()).blockNumber);
  await eventually("three events twice", () => seen.polled.length === 3 && seen.pushed.length === 3);
  assert.deepEqual(seen.polled, [21n, 22n, 23n]);
  assert.deepEqual(seen.pushed, [21n, 22n, 23n]);
  await eventually("all blocks", () => blocks.every((n) => seen.blocks.includes(n) && seen.polledBlocks.includes(n)));
  await probe.off("Stored");
  await pushed.off("Stored");
  await sockets.off("block");
  await provider.off("block");
});

await step("nonces: pending, and many at once", async () => {
  const manager = new NonceManager(other);
  const start = await provider.getTransactionCount(other.address, "pending");
  const sent = await Promise.all([...Array(8)].map(() => manager.sendTransaction({ to: stranger, value: 1n })));
  assert.deepEqual(sent.map((tx) => tx.nonce), [...Array(8)].map((_, i) => start + i));
  assert.equal(await provider.getTransactionCount(other.address, "pending"), start + 8);
  for (const receipt of await Promise.all(sent.map((tx) => tx.wait()))) assert.equal(receipt.status, 1);
  assert.equal(await provider.getTransactionCount(other.address, "latest"), start + 8);
});

await step("confirmations", async () => {
  const first = await sender.sendTransaction({ to: stranger, value: 1n });
  const confirmed = provider.waitForTransaction(first.hash, 3, 20_000);
  for (let i = 0; i < 2; i++) await (await other.sendTransaction({ to: stranger, value: 1n })).wait();
  const receipt = await confirmed;
  assert.equal(receipt.hash, first.hash);
  assert.ok((await receipt.confirmations()) >= 3);
});

await step("blocks by tag and with transactions", async () => {
  const [latest, safe, finalized, earliest] = await Promise.all(
    ["latest", "safe", "finalized", "earliest"].map((tag) => provider.getBlock(tag)),
  );
  assert.ok(finalized.number <= safe.number && safe.number <= latest.number);
  assert.equal(earliest.number, 0);
  const block = await provider.getBlock(latest.number, true);
  assert.equal(block.hash, latest.hash);
  assert.equal(block.prefetchedTransactions.length, block.length);
  assert.equal(block.prefetchedTransactions[0].blockNumber, latest.number);
  assert.equal((await provider.getBlock(latest.number - 1)).hash, latest.parentHash);
  assert.equal(await provider.getBlock(latest.number + 1_000_000), null);
  assert.equal(await provider.getTransaction("0x" + "ab".repeat(32)), null);
  assert.equal(await provider.getTransactionReceipt("0x" + "ab".repeat(32)), null);
});

await step("a batch of requests in one", async () => {
  const answers = await Promise.all([
    provider.getBlockNumber(),
    provider.getBalance(stranger),
    provider.getCode(probe),
    probe.value(),
    assert.rejects(probe.divide(1, 0)),
    provider.send("eth_chainId", []),
  ]);
  assert.deepEqual([answers[3], Number(answers[5])], [23n, chainId]);
  await assert.rejects(provider.send("eth_noSuchMethod", []), (e) => isError(e, "UNSUPPORTED_OPERATION") || e.error?.code === -32601);
});

await sockets.destroy();
provider.destroy();
