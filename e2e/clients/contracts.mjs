// Contracts that everybody uses, run on a chain and on anvil: every receipt, log, call and balance must be the same.
//
// Bytecode comes from packages: WETH9 and Uniswap v2 as their packages have it compiled, Multicall3 as viem ships it, ERC-20 and
// ERC-721 of OpenZeppelin compiled from contracts/. The deployment proxy comes from the transaction that everybody sends.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { AbiCoder, Interface, MaxUint256, Signature, ZeroHash, concat, getCreate2Address, getCreateAddress, id, keccak256, parseEther, zeroPadValue } from "ethers";
import { multicall3Abi } from "viem";
import { multicall3Bytecode } from "./node_modules/viem/_esm/constants/contracts.js";
import { step } from "./lib/check.mjs";
import { artifact, chainId, url } from "./lib/env.mjs";
import { Actor, Twins } from "./lib/twins.mjs";

const require = createRequire(import.meta.url);
const uniswap = (part, name) => require(`@uniswap/v2-${part}/build/${name}.json`);

/** The deterministic deployment proxy: its transaction was signed once, for every chain, by a key that nobody knows. */
const PROXY = {
  signer: "0x3fab184622dc19b6109349b94811493bf2a45362",
  address: "0x4e59b44847b379578588920ca78fbf26c0b4956c",
  // Legacy, before EIP-155: nonce 0, 100 gwei, 100,000 gas, creation; r and s are 0x22… by choice.
  raw: `0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7f${"ff".repeat(31)}e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0${"22".repeat(32)}a0${"22".repeat(32)}`,
};
/** Uniswap's library computes addresses of pairs from it. */
const PAIR_CODE_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f";
const DEADLINE = MaxUint256;

const twins = new Twins(url, process.env.REFERENCE_URL, chainId);
const [owner, alice, bob] = [4, 5, 6].map((index) => new Actor(index));

const hex = (code) => (code.startsWith("0x") ? code : `0x${code}`);

/** A deployed contract on both chains. */
class Deployed {
  constructor(address, abi) {
    this.address = address;
    this.abi = new Interface(abi);
  }

  /** Sends a call of a function. */
  send(actor, name, args, request = {}, status = 1) {
    return twins.send(actor, { to: this.address, data: this.abi.encodeFunctionData(name, args), ...request }, status);
  }

  /** Result of a function. */
  async read(name, args = [], from = owner) {
    const data = this.abi.encodeFunctionData(name, args);
    const result = this.abi.decodeFunctionResult(name, await twins.call({ from: from.address, to: this.address, data }));
    return result.length === 1 ? result[0] : result;
  }

  /** Name of the error of a call that reverts, null without data. */
  async reverts(name, args, from = owner) {
    const data = this.abi.encodeFunctionData(name, args);
    const output = await twins.call({ from: from.address, to: this.address, data });
    return output && output !== "0x" ? this.abi.parseError(output).name : null;
  }
}

/** Deploys in the usual way. */
async function deploy(actor, abi, bytecode, args = [], request = {}) {
  const parameters = new Interface(abi).encodeDeploy(args);
  const expected = getCreateAddress({ from: actor.address, nonce: actor.nonce });
  const receipt = await twins.send(actor, { data: concat([bytecode, parameters]), ...request });
  assert.equal(receipt.contractAddress.toLowerCase(), expected.toLowerCase());
  return new Deployed(expected, abi);
}

await step("two new chains", () => twins.start());

await step("deployment proxy from its signed transaction, contracts by CREATE2", async () => {
  await twins.send(owner, { to: PROXY.signer, value: parseEther("0.01"), gasLimit: 21_000n });
  const receipt = await twins.submit(PROXY.raw);
  assert.deepEqual([receipt.status, receipt.contractAddress.toLowerCase(), receipt.from.toLowerCase()], ["0x1", PROXY.address, PROXY.signer]);
  const { abi, bytecode } = artifact("Probe");
  const code = concat([bytecode, AbiCoder.defaultAbiCoder().encode(["uint256"], [77])]);
  const address = getCreate2Address(PROXY.address, id("cairn"), keccak256(code));
  assert.equal(await twins.call({ from: owner.address, to: PROXY.address, data: concat([id("cairn"), code]) }), address.toLowerCase());
  await twins.send(owner, { to: PROXY.address, data: concat([id("cairn"), code]) });
  const probe = new Deployed(address, abi);
  twins.addresses.add(address.toLowerCase());
  assert.equal(await probe.read("value"), 77n);
  // The same again reverts: the address is taken.
  await twins.send(owner, { to: PROXY.address, data: concat([id("cairn"), code]), gasLimit: 1_000_000n }, 0);
});

const weth = await step("WETH9", async () => {
  const { abi, bytecode } = require("canonical-weth/build/contracts/WETH9.json");
  const weth = await deploy(owner, abi, hex(bytecode), [], { type: 0 });
  await weth.send(alice, "deposit", [], { value: parseEther("10") });
  // Its fallback deposits too.
  await twins.send(bob, { to: weth.address, value: parseEther("3"), gasLimit: 100_000n });
  await weth.send(alice, "transfer", [bob.address, parseEther("1")], { type: 0 });
  const accessList = [{ address: weth.address, storageKeys: [zeroPadValue("0x03", 32)] }];
  await weth.send(alice, "approve", [bob.address, parseEther("2")], { type: 1, accessList });
  await weth.send(bob, "transferFrom", [alice.address, owner.address, parseEther("2")], { accessList });
  await weth.send(bob, "transferFrom", [alice.address, owner.address, 1n], { gasLimit: 200_000n }, 0);
  await weth.send(alice, "withdraw", [parseEther("4")]);
  await weth.send(alice, "withdraw", [parseEther("400")], { gasLimit: 200_000n }, 0);
  assert.equal(await weth.reverts("withdraw", [parseEther("400")], alice), null);
  assert.equal(await weth.read("totalSupply"), parseEther("9"));
  assert.equal(await weth.read("balanceOf", [alice.address]), parseEther("3"));
  assert.equal(await weth.read("allowance", [alice.address, bob.address]), 0n);
  return weth;
});

const { abi: tokenAbi, bytecode: tokenCode } = artifact("Token");
const supply = parseEther("1000000");
const token = await step("OpenZeppelin's ERC-20 with permit", async () => {
  const token = await deploy(owner, tokenAbi, tokenCode, ["Token A", "A", supply]);
  await token.send(owner, "transfer", [alice.address, parseEther("1000")]);
  await token.send(alice, "approve", [bob.address, parseEther("100")]);
  await token.send(bob, "transferFrom", [alice.address, bob.address, parseEther("60")]);
  await token.send(bob, "transferFrom", [alice.address, bob.address, parseEther("60")], { gasLimit: 200_000n }, 0);
  assert.equal(await token.reverts("transferFrom", [alice.address, bob.address, parseEther("60")], bob), "ERC20InsufficientAllowance");
  assert.equal(await token.reverts("transfer", [alice.address, parseEther("1000")], bob), "ERC20InsufficientBalance");
  await token.send(bob, "burn", [parseEther("10")]);
  const domain = { name: "Token A", version: "1", chainId, verifyingContract: token.address };
  const fields = ["owner:address", "spender:address", "value:uint256", "nonce:uint256", "deadline:uint256"].map((field) => {
    const [name, type] = field.split(":");
    return { name, type };
  });
  const permit = { owner: alice.address, spender: bob.address, value: 5n, nonce: 0n, deadline: DEADLINE };
  const { v, r, s } = Signature.from(await alice.wallet.signTypedData(domain, { Permit: fields }, permit));
  await token.send(bob, "permit", [alice.address, bob.address, 5n, DEADLINE, v, r, s]);
  await token.send(bob, "permit", [alice.address, bob.address, 5n, DEADLINE, v, r, s], { gasLimit: 200_000n }, 0);
  assert.equal(await token.read("allowance", [alice.address, bob.address]), 5n);
  assert.equal(await token.read("nonces", [alice.address]), 1n);
  // Runs out of gas, and all of it is paid.
  const failed = await token.send(owner, "transfer", [bob.address, 1n], { gasLimit: 30_000n }, 0);
  assert.equal(Number(failed.gasUsed), 30_000);
  assert.equal(await token.read("totalSupply"), supply - parseEther("10"));
  return token;
});

await step("OpenZeppelin's ERC-721", async () => {
  const { abi, bytecode } = artifact("Collectible");
  const nft = await deploy(owner, abi, bytecode);
  for (const tokenId of [1n, 2n, 3n]) await nft.send(owner, "mint", [alice.address, tokenId]);
  await nft.send(alice, "safeTransferFrom(address,address,uint256)", [alice.address, bob.address, 1n]);
  await nft.send(alice, "approve", [bob.address, 2n]);
  await nft.send(bob, "transferFrom", [alice.address, bob.address, 2n]);
  await nft.send(bob, "setApprovalForAll", [owner.address, true]);
  await nft.send(owner, "transferFrom", [bob.address, owner.address, 1n]);
  await nft.send(bob, "mint", [bob.address, 4n], { gasLimit: 300_000n }, 0);
  assert.equal(await nft.reverts("mint", [bob.address, 4n], bob), "OwnableUnauthorizedAccount");
  await nft.send(owner, "mint", [alice.address, 3n], { gasLimit: 300_000n }, 0);
  // A contract that takes no tokens.
  await nft.send(owner, "mint", [token.address, 9n], { gasLimit: 300_000n }, 0);
  assert.equal(await nft.reverts("mint", [token.address, 9n]), "ERC721InvalidReceiver");
  assert.deepEqual([await nft.read("ownerOf", [1n]), await nft.read("ownerOf", [2n]), await nft.read("ownerOf", [3n])], [owner.address, bob.address, alice.address]);
  assert.equal(await nft.read("totalSupply"), 3n);
  assert.equal(await nft.read("tokenOfOwnerByIndex", [alice.address, 0n]), 3n);
});

/** What viem's ABI of Multicall3 leaves out. */
const multicallAbi = [
  ...multicall3Abi,
  "constructor()",
  "function aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[]) payable returns ((bool, bytes)[])",
  ...["getBlockNumber", "getChainId", "getBasefee", "getCurrentBlockGasLimit"].map((name) => `function ${name}() view returns (uint256)`),
  "function getCurrentBlockCoinbase() view returns (address)",
];

await step("Multicall3", async () => {
  const multicall = await deploy(owner, multicallAbi, multicall3Bytecode, []);
  const balanceOf = token.abi.encodeFunctionData("balanceOf", [alice.address]);
  const tooMuch = token.abi.encodeFunctionData("transfer", [alice.address, supply]);
  const calls = [
    [token.address, false, balanceOf],
    [token.address, true, tooMuch],
    [weth.address, false, weth.abi.encodeFunctionData("totalSupply")],
  ];
  const results = await multicall.read("aggregate3", [calls]);
  assert.deepEqual(results.map(([success]) => success), [true, false, true]);
  assert.equal(token.abi.parseError(results[1][1]).name, "ERC20InsufficientBalance");
  await multicall.send(owner, "aggregate3", [calls]);
  await multicall.send(owner, "aggregate3", [calls.map(([to, , data]) => [to, false, data])], { gasLimit: 500_000n }, 0);
  const deposit = [weth.address, false, parseEther("2"), weth.abi.encodeFunctionData("deposit")];
  await multicall.send(alice, "aggregate3Value", [[deposit]], { value: parseEther("2") });
  assert.equal(await weth.read("balanceOf", [multicall.address]), parseEther("2"));
  for (const name of ["getBlockNumber", "getChainId", "getBasefee", "getCurrentBlockGasLimit", "getCurrentBlockCoinbase"]) await multicall.read(name);
  assert.equal(await multicall.read("getEthBalance", [bob.address]), BigInt(await twins.same("eth_getBalance", [bob.address, "latest"])));
});

await step("Uniswap v2", async () => {
  const factoryBuild = uniswap("core", "UniswapV2Factory");
  const pairBuild = uniswap("core", "UniswapV2Pair");
  const routerBuild = uniswap("periphery", "UniswapV2Router02");
  assert.equal(keccak256(hex(pairBuild.bytecode)), PAIR_CODE_HASH);
  const factory = await deploy(owner, factoryBuild.abi, hex(factoryBuild.bytecode), [owner.address]);
  const router = await deploy(owner, routerBuild.abi, hex(routerBuild.bytecode), [factory.address, weth.address]);
  const other = await deploy(owner, tokenAbi, tokenCode, ["Token B", "B", supply]);
  const tokens = [token.address, other.address].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const address = getCreate2Address(factory.address, keccak256(concat(tokens)), PAIR_CODE_HASH);

  const created = await factory.send(owner, "createPair", tokens);
  const event = factory.abi.parseLog(created.logs[0]);
  assert.deepEqual([event.name, event.args.pair], ["PairCreated", address]);
  await factory.send(owner, "createPair", tokens, { gasLimit: 4_000_000n }, 0);
  const pair = new Deployed(address, pairBuild.abi);

  for (const each of [token, other]) await each.send(owner, "approve", [router.address, MaxUint256]);
  const [a, b] = [token.address, other.address];
  const amounts = [parseEther("1000"), parseEther("4000")];
  await router.send(owner, "addLiquidity", [a, b, ...amounts, 0n, 0n, owner.address, DEADLINE]);
  await router.send(owner, "addLiquidity", [a, b, ...amounts, 0n, 0n, alice.address, DEADLINE]);
  assert.equal(await pair.read("totalSupply"), parseEther("4000"));
  const shares = await pair.read("balanceOf", [owner.address]);
  assert.equal(shares, parseEther("2000") - 1000n);

  const input = parseEther("10");
  const [, output] = await router.read("getAmountsOut", [input, [a, b]]);
  const before = await other.read("balanceOf", [bob.address]);
  await router.send(owner, "swapExactTokensForTokens", [input, output, [a, b], bob.address, DEADLINE]);
  assert.equal((await other.read("balanceOf", [bob.address])) - before, output);
  await router.send(owner, "swapTokensForExactTokens", [parseEther("5"), parseEther("100"), [b, a], bob.address, DEADLINE]);
  // Slippage, and a deadline that is over.
  await router.send(owner, "swapExactTokensForTokens", [input, supply, [a, b], bob.address, DEADLINE], { gasLimit: 300_000n }, 0);
  await router.send(owner, "swapExactTokensForTokens", [input, 0n, [a, b], bob.address, 1n], { gasLimit: 300_000n }, 0);

  // A pair with ETH comes into being with its first liquidity.
  await router.send(owner, "addLiquidityETH", [a, parseEther("500"), 0n, 0n, owner.address, DEADLINE], { value: parseEther("50") });
  await router.send(alice, "swapExactETHForTokens", [0n, [weth.address, a], alice.address, DEADLINE], { value: parseEther("1") });
  await token.send(alice, "approve", [router.address, MaxUint256]);
  await router.send(alice, "swapExactTokensForETH", [parseEther("2"), 0n, [a, weth.address], bob.address, DEADLINE]);
  await router.send(alice, "swapETHForExactTokens", [parseEther("1"), [weth.address, a, b], alice.address, DEADLINE], { value: parseEther("3") });

  await pair.send(owner, "approve", [router.address, MaxUint256]);
  await router.send(owner, "removeLiquidity", [a, b, shares / 2n, 0n, 0n, bob.address, DEADLINE]);
  const ethPair = new Deployed(await factory.read("getPair", [weth.address, a]), pairBuild.abi);
  const ethShares = await ethPair.read("balanceOf", [owner.address]);
  await ethPair.send(owner, "approve", [router.address, MaxUint256]);
  await router.send(owner, "removeLiquidityETH", [a, ethShares, 0n, 0n, alice.address, DEADLINE]);
  assert.equal(await ethPair.read("balanceOf", [owner.address]), 0n);
  for (const each of [pair, ethPair]) {
    for (const name of ["getReserves", "price0CumulativeLast", "price1CumulativeLast", "kLast"]) await each.read(name);
  }
  const transfer = id("Transfer(address,address,uint256)");
  const [places, senders] = [[pair.address, token.address], [zeroPadValue(owner.address, 32), ZeroHash]];
  const found = await twins.sameLogs({ fromBlock: "earliest", address: places, topics: [transfer, senders] });
  const one = (value, list) => list.some((item) => item.toLowerCase() === value);
  const expected = twins.receipts.flatMap(({ logs }) => logs).filter((log) => one(log.address, places) && log.topics[0] === transfer && one(log.topics[1], senders));
  assert.ok(expected.length > 5);
  assert.deepEqual(found, expected);
});

await step("state and logs of all that took part", () => twins.finish(16));
console.log(`${twins.receipts.length} transactions, ${twins.addresses.size} addresses`);
