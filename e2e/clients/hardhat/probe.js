// Hardhat against a node: what `hardhat test --network cairn` of a project does. Run as a test of Hardhat.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { artifacts, network } from "hardhat";

const stranger = "0x00000000000000000000000000000000000c11e7";

describe("Probe", () => {
  let connection, ethers, probe, sender, other;

  before(async () => {
    connection = await network.create();
    ({ ethers } = connection);
    ethers.provider.pollingInterval = 50;
    [sender, other] = await ethers.getSigners();
    probe = await ethers.deployContract("Probe", [7n], { value: 5n });
    await probe.waitForDeployment();
  });
  after(() => connection.close());

  it("is on the configured chain", async () => {
    const { chainId } = await ethers.provider.getNetwork();
    assert.equal(Number(chainId), connection.networkConfig.chainId);
    assert.equal(Number(await connection.provider.request({ method: "eth_chainId" })), connection.networkConfig.chainId);
    assert.equal((await connection.provider.request({ method: "eth_accounts" }))[0], sender.address.toLowerCase());
  });

  it("deploys with a value", async () => {
    assert.equal(await probe.value(), 7n);
    assert.equal(await ethers.provider.getBalance(probe), 5n);
    const { deployedBytecode } = await artifacts.readArtifact("Probe");
    assert.equal(await ethers.provider.getCode(probe), deployedBytecode);
  });

  it("writes and reads", async () => {
    const sent = await probe.store(8n, "eight");
    const receipt = await sent.wait();
    assert.equal(receipt.status, 1);
    const [log] = await probe.queryFilter("Stored", receipt.blockNumber, receipt.blockNumber);
    assert.deepEqual([log.args.from, log.args.value, log.args.note], [sender.address, 8n, "eight"]);
    const second = await (await probe.connect(other).store(9n, "nine", { value: 1n })).wait();
    assert.ok(second.blockNumber > receipt.blockNumber);
    assert.equal(await probe.value({ blockTag: receipt.blockNumber }), 8n);
    assert.equal(await probe.stores(other), 1n);
  });

  it("hears events", async () => {
    // Hardhat reaches a network over HTTP alone: ethers' listeners ask for logs there.
    const heard = new Promise((resolve) => probe.once("Stored", (from, value, note) => resolve([from, value, note])));
    await (await probe.connect(other).store(10n, "ten")).wait();
    assert.deepEqual(await heard, [other.address, 10n, "ten"]);
    await probe.removeAllListeners();
  });

  it("sends transactions of each type", async () => {
    const { gasPrice } = await ethers.provider.getFeeData();
    const accessList = [{ address: other.address, storageKeys: [] }];
    const requests = [
      [0, { gasPrice }],
      [1, { gasPrice, accessList: [] }],
      [1, { gasPrice, accessList }],
      [2, { maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice }],
    ];
    for (const [type, request] of requests) {
      const receipt = await (await sender.sendTransaction({ to: stranger, value: 1n, ...request })).wait();
      assert.deepEqual([receipt.status, receipt.type], [1, type]);
    }
  });

  it("decodes reverts", async () => {
    const reverted = async (call) => {
      const error = await call.then(() => assert.fail("no revert"), (e) => e);
      assert.equal(error.code, 3, error);
      return probe.interface.parseError(error.data);
    };
    const cases = [
      [() => probe.store.staticCall(13n, ""), "Error", ["unlucky"]],
      [() => probe.store.staticCall(1001n, ""), "TooBig", [1001n, 1000n]],
      [() => probe.divide(1n, 0n), "Panic", [0x12n]],
      // Hardhat estimates before it sends.
      [() => probe.store(1001n, ""), "TooBig", [1001n, 1000n]],
    ];
    for (const [call, name, args] of cases) {
      const parsed = await reverted(call());
      assert.deepEqual([parsed.name, [...parsed.args]], [name, args]);
    }
    const failed = await probe.store(13n, "", { gasLimit: 100_000n });
    await assert.rejects(failed.wait(), (e) => e.receipt.status === 0);
  });

  it("counts pending nonces", async () => {
    const start = await ethers.provider.getTransactionCount(other.address, "pending");
    const sent = [];
    for (let i = 0; i < 4; i++) sent.push(await other.sendTransaction({ to: stranger, value: 1n, nonce: start + i }));
    for (const tx of sent) assert.equal((await tx.wait()).status, 1);
    assert.equal(await ethers.provider.getTransactionCount(other.address), start + 4);
  });
});
