// What the page knows of the chain. Events: `connection`, `status`, `batches`, `recent`, `samples`.

import { quantity } from './format.js';

const BATCHES = 60;
const RECENT = 8;
const SAMPLES = 600;
/** Between two looks at the same thing. */
const PAUSE_MS = 500;

/** Calls `work` now or when the pause is over, once for any number of wishes; never twice at the same time. */
function paced(work) {
  let wanted = false;
  let running = false;
  const run = async () => {
    running = true;
    while (wanted) {
      wanted = false;
      try {
        await work();
      } catch {
        // The connection is gone, which is told elsewhere; what is missing is asked for again when it is back.
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) run();
  };
}

export class Store extends EventTarget {
  connection = 'connecting';
  /** The last `cairn_status`. */
  status = null;
  /** Summaries, newest first. */
  batches = [];
  /** Blocks with their transaction, newest first. */
  recent = [];
  /** One a second: { timeMs, transactions, pending, queued }. */
  samples = [];
  #rpc;
  #clock = 0;
  #batchKey = '';
  #loadBatches = paced(async () => {
    this.batches = await this.#rpc.call('cairn_getBatches', [null, BATCHES]);
    this.#emit('batches');
  });
  #loadRecent = paced(() => this.#readRecent());

  constructor(rpc) {
    super();
    this.#rpc = rpc;
    rpc.addEventListener('state', ({ detail }) => {
      this.connection = detail;
      this.#emit('connection');
      if (detail === 'open') this.#begin();
    });
    rpc.addEventListener('notification', ({ detail }) => {
      if (detail.result?.states) this.#take(detail.result);
    });
    setInterval(() => this.#sample(), 1000);
  }

  /** The node's clock, in milliseconds. */
  now() {
    return Date.now() + this.#clock;
  }

  #emit(name) {
    this.dispatchEvent(new Event(name));
  }

  /** After each connection: nothing from before is believed. */
  async #begin() {
    try {
      const [status] = await Promise.all([
        this.#rpc.call('cairn_status', []),
        this.#rpc.call('cairn_subscribe', ['status']),
      ]);
      this.samples = status.samples;
      this.#batchKey = '';
      this.recent = [];
      this.#take(status);
      this.#emit('samples');
    } catch {
      // The connection is gone again; the next one begins anew.
    }
  }

  #take(status) {
    this.status = status;
    this.#clock = status.timeMs - Date.now();
    this.#emit('status');
    const { states, sealedBatch, prover } = status;
    const key = [sealedBatch, states.virtual.batch, states.consolidated.batch, prover.queue, prover.proving?.batch].join();
    if (key !== this.#batchKey) {
      this.#batchKey = key;
      this.#loadBatches();
    }
    if (this.recent[0]?.number !== states.trusted.block) this.#loadRecent();
  }

  async #readRecent() {
    const head = this.status.states.trusted.block;
    const known = new Map(this.recent.map((block) => [block.number, block]));
    const wanted = [];
    for (let number = head; number > Math.max(0, head - RECENT); number--) {
      wanted.push(known.get(number) ?? this.#block(number));
    }
    this.recent = (await Promise.all(wanted)).filter((block) => block !== null);
    this.#emit('recent');
  }

  async #block(number) {
    const block = await this.#rpc.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, true]);
    const tx = block?.transactions?.[0];
    return tx ? { number, timestamp: quantity(block.timestamp), tx } : null;
  }

  #sample() {
    if (this.status === null || this.connection !== 'open') return;
    const { states, pool } = this.status;
    this.samples.push({
      timeMs: this.now(), transactions: states.trusted.block, pending: pool.pending, queued: pool.queued,
    });
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.#emit('samples');
  }
}
