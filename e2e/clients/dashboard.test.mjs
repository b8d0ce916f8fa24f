// The dashboard in a real browser, against the node at CAIRN_URL. Whoever starts this answers orders, one JSON a line: this
// writes {"do": …} to standard output and reads the result from standard input. Exits with an error at the first difference.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const url = process.env.CAIRN_URL;
const executablePath = process.env.CAIRN_CHROMIUM ?? "/usr/bin/chromium";
const SOON = 20_000;
const HOSTILE = "<script>window.hostile = 1</script><img src=x onerror='window.hostile = 1'>";
const RECIPIENT = "0x00000000000000000000000000000000000da5b0";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

const hex = (text) => `0x${Buffer.from(text, "utf8").toString("hex")}`;
/** Code that copies `data` to memory, pushes its length and does `end` with it. */
function initcode(end, data) {
  const length = data.length.toString(16).padStart(2, "0");
  const offset = (7 + 2 + end.length).toString(16).padStart(2, "0");
  return `0x60${length}60${offset}60003960${length}${end.join("")}${data.toString("hex")}`;
}
/** Error(string). */
function revertReason(text) {
  const word = (n) => Buffer.from(n.toString(16).padStart(64, "0"), "hex");
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from("08c379a0", "hex"), word(32), word(bytes.length), bytes, Buffer.alloc(-bytes.length & 31)]);
}
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function order(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
  const { value, done } = await lines.next();
  assert.ok(!done, "nobody answers orders");
  return JSON.parse(value);
}
async function step(name, run) {
  process.stderr.write(`${name}\n`);
  await run();
}

const profile = mkdtempSync(join(tmpdir(), "cairn-dashboard-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath, headless: true, args: FLAGS, viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce",
});

/** A page of the node, and everything that went wrong on it. */
async function open(path = "") {
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(message.text()); });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()}`));
  page.on("response", (response) => { if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`); });
  page.on("request", (request) => { if (!request.url().startsWith(`${url}/`)) faults.push(`elsewhere: ${request.url()}`); });
  page.on("websocket", (socket) => {
    if (!socket.url().startsWith(`${url.replace("http", "ws")}/`)) faults.push(`elsewhere: ${socket.url()}`);
  });
  await page.goto(`${url}/${path}`);
  await live(page);
  return { page, faults };
}

const live = (page) => page.locator("#connection[data-state=open]").waitFor({ timeout: SOON });
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const lightness = (page) => page.evaluate(() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
  return (r + g + b) / 3;
});
async function find(page, text, selector) {
  await page.locator("#query").fill(text);
  await page.locator("#query").press("Enter");
  await page.locator(selector).first().waitFor({ timeout: SOON });
}

try {
  const { page, faults } = await open();

  await step("an empty chain says what to do next", async () => {
    await page.locator(".badge-mock", { hasText: "MOCK: nothing is proven" }).waitFor({ timeout: SOON });
    await page.locator("#recent").getByText("sends the first one").waitFor({ timeout: SOON });
    assert.match(await page.locator(".send code").textContent(), /^cast send --rpc-url http:\/\/127\.0\.0\.1:\d+ --private-key 0x/);
    assert.equal(await page.locator("[data-head=trusted]").textContent(), "0");
  });

  let first;
  await step("a transfer is shown as it happens", async () => {
    first = await order({ do: "send", to: RECIPIENT, data: "0x" });
    await page.locator(`[data-tx="${first.hash}"]`).waitFor({ timeout: SOON });
    await page.locator("[data-head=trusted]").filter({ hasText: /^1$/ }).waitFor({ timeout: SOON });
    await page.locator(`.lane[data-state=consolidated] [data-batch="1"]`).waitFor({ timeout: SOON });
    await page.locator("[data-head=consolidated]").filter({ hasText: /^1$/ }).waitFor({ timeout: SOON });
    for (const title of ["Proof time", "Counters used", "L1 gas", "Throughput and pool"]) {
      await page.locator(".plot", { hasText: title }).locator("canvas").waitFor({ timeout: SOON });
    }
  });

  await step("search by hash, address, block, block hash and batch", async () => {
    await find(page, first.hash, ".view[data-status=consolidated]");
    const fact = (name) => page.locator(".fact", { has: page.locator(`dt:text-is("${name}")`) }).locator("dd");
    assert.equal(await fact("Outcome").textContent(), "Success");
    assert.equal(await fact("Block").textContent(), "1");
    assert.match(await fact("Gas").textContent(), /^21,000 of /);
    assert.equal(await page.locator(".step[data-reached]").count(), 3);
    assert.equal(await page.locator(".step-l1 code").count(), 2);
    await find(page, RECIPIENT, ".history a");
    assert.equal(await page.locator(".history tbody tr").count(), 1);
    await find(page, "1", "h1:text-is('Block 1')");
    assert.equal(await page.locator(".detail .subject code").textContent(), first.blockHash);
    await find(page, "#1", "h1:text-is('Batch #1')");
    await find(page, first.blockHash, "h1:text-is('Block 1')");
    await find(page, `0x${"ab".repeat(32)}`, ".view[data-status=unknown]");
    await find(page, "no such thing", "#search-message:not(:empty)");
    await page.keyboard.press("Escape");
    await page.locator("#overview").waitFor({ state: "visible", timeout: SOON });
  });

  await step("calldata, logs and reasons that look like markup are text", async () => {
    const texts = (selector) => page.locator(selector).allTextContents();
    const { hash } = await order({ do: "send", to: RECIPIENT, data: hex(HOSTILE) });
    await page.goto(`${url}/#/tx/${hash}`);
    await page.locator(".as-text q").waitFor({ timeout: SOON });
    assert.deepEqual(await texts(".as-text q"), [HOSTILE]);
    const logged = await order({ do: "send", to: null, data: initcode(["60", "00", "a0", "00"], Buffer.from(HOSTILE)) });
    await page.goto(`${url}/#/tx/${logged.hash}`);
    await page.locator(".log .as-text q").waitFor({ timeout: SOON });
    assert.deepEqual(await texts(".log .as-text q"), [HOSTILE]);
    const failed = await order({ do: "send", to: null, data: initcode(["60", "00", "fd"], revertReason(HOSTILE)) });
    await page.goto(`${url}/#/tx/${failed.hash}`);
    await page.locator(".chip[data-state=bad]").waitFor({ timeout: SOON });
    assert.ok((await texts("#detail .facts")).join().includes(HOSTILE));
    assert.equal(await page.evaluate(() => window.hostile), undefined);
    await page.goto(`${url}/#/`);
  });

  await step("nothing failed, nothing came from elsewhere", async () => assert.deepEqual(faults, []));

  await step("a node that answers with markup everywhere is shown as text", async () => {
    const { page: other, faults: otherFaults } = await openAltered();
    await other.goto(`${url}/#/tx/${first.hash}`);
    await other.locator(".log").waitFor({ timeout: SOON });
    assert.equal(await other.locator(".log .as-text q").textContent(), HOSTILE);
    assert.ok((await other.locator(".log .topics").textContent()).includes(HOSTILE));
    assert.ok((await other.locator("#detail .facts").textContent()).includes(`execution reverted: ${HOSTILE}`));
    await other.goto(`${url}/#/`);
    await other.locator("#side").getByText(HOSTILE).first().waitFor({ timeout: SOON });
    assert.equal(await other.evaluate(() => window.hostile), undefined);
    assert.equal(await other.locator("main script, main img").count(), 0);
    assert.deepEqual(otherFaults, []);
    await other.close();
  });

  await step("a phone, and the dark", async () => {
    const { hash } = first;
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["#/", `#/tx/${hash}`, "#/block/1", "#/batch/1", `#/address/${RECIPIENT}`]) {
      await page.goto(`${url}/${path}`);
      await page.locator(path === "#/" ? "#overview" : "#detail h1").waitFor({ state: "visible", timeout: SOON });
      assert.ok(await overflow(page) <= 0, `${path} is wider than a phone`);
    }
    await page.goto(`${url}/#/`);
    assert.ok(await lightness(page) > 200);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.ok(await lightness(page) < 60);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  await step("after the node was away the page goes on by itself", async () => {
    await page.evaluate(() => { window.sameDocument = true; });
    const lost = page.locator("#connection[data-state=closed]").waitFor({ timeout: SOON });
    await order({ do: "restart" });
    await lost;
    await live(page);
    const { hash } = await order({ do: "send", to: RECIPIENT, data: "0x" });
    await page.locator(`[data-tx="${hash}"]`).waitFor({ timeout: SOON });
    assert.equal(await page.evaluate(() => window.sameDocument), true);
  });
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exit(0);

/** A page whose node is replaced by one that lies: in each place where text of others is shown, there is markup. */
async function openAltered() {
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
  page.on("pageerror", (error) => faults.push(String(error)));
  const methods = new Map();
  const alter = (message) => {
    const status = message.params?.result ?? (methods.get(message.id) === "cairn_status" ? message.result : null);
    if (status?.states) status.version = HOSTILE;
    if (methods.get(message.id) === "eth_getTransactionReceipt") {
      message.result.status = "0x0";
      message.result.logs = [{ address: message.result.to, topics: [HOSTILE], data: hex(HOSTILE) }];
    }
    if (methods.get(message.id) === "eth_call") {
      delete message.result;
      message.error = { code: 3, message: `execution reverted: ${HOSTILE}`, data: hex(HOSTILE) };
    }
    return message;
  };
  await page.routeWebSocket(/.*/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, method } = JSON.parse(text);
      methods.set(id, method);
      server.send(text);
    });
    server.onMessage((text) => socket.send(JSON.stringify(alter(JSON.parse(text)))));
  });
  await page.goto(`${url}/`);
  await live(page);
  return { page, faults };
}
