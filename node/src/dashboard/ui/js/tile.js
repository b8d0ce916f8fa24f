// One batch as a tile: a cairn of stones, each as wide as the share of a counter in the circuit's capacity.

import { h, setAttribute, setText } from './dom.js';
import { count, percent, plural, seconds, short } from './format.js';
import { RESOURCES } from './resources.js';

/** Colours of the style sheet for counters. */
const COLOURS = 8;

/** What a circuit has a limited number of, from the top stone down. */
export const COUNTERS = RESOURCES.map(({ name, unit, help }, i) => ({
  key: name, name: unit, help, colour: `counter-${i % COLOURS}`,
}));

const REASONS = { capacity: 'circuit full', bytes: 'bytes full', gas: 'gas full', age: 'by age' };

export const reason = (batch) => REASONS[batch.closeReason] ?? String(batch.closeReason);

/** Machines that the circuit has: one for transfers alone has no EVM. */
export const machines = (capacity) => COUNTERS.filter(({ key }) => capacity[key] > 0);

export const share = (batch, capacity, key) => (capacity[key] > 0 ? Math.min(1, batch.counters[key] / capacity[key]) : 0);

/** What a tile says of the way of its batch. */
function progress(batch, mock) {
  if (typeof batch.proof?.seconds === 'number') return mock ? 'mock proof' : `proof ${seconds(batch.proof.seconds)}`;
  return batch.proof ? 'proving…' : 'proof waits';
}

const settlement = (name, tx) => (tx ? `${name} ${short(tx.txHash)}` : `${name} –`);

export class Tile {
  constructor(number) {
    this.number = number;
    this.name = h('span', { class: 'tile-name' }, `#${count(number)}`);
    this.reason = h('span', { class: 'tile-reason' });
    this.size = h('span', { class: 'tile-size' });
    this.data = h('span', { class: 'tile-hash' });
    this.proof = h('span', { class: 'tile-hash' });
    this.age = h('span', { class: 'tile-age' });
    this.time = h('span', { class: 'tile-time' });
    this.stones = COUNTERS.map(({ colour }) => h('span', { class: 'stone', 'data-colour': colour }));
    this.cairn = h('span', { class: 'cairn', role: 'img' }, this.stones);
    this.node = h('a', { class: 'tile', href: `#/batch/${number}`, 'data-batch': number },
      h('span', { class: 'tile-top' }, this.name, this.size, this.reason),
      this.cairn,
      h('span', { class: 'tile-hashes' }, this.data, this.proof),
      h('span', { class: 'tile-foot' }, this.age, this.time));
  }

  /** `shares` by counter. */
  #stones(capacity, shares, label) {
    COUNTERS.forEach(({ key }, i) => {
      this.stones[i].hidden = capacity[key] === 0;
      this.stones[i].style.setProperty('--share', (shares[key] ?? 0).toFixed(3));
    });
    setAttribute(this.cairn, 'aria-label', label);
    setAttribute(this.cairn, 'title', label);
  }

  /** A sealed batch. */
  sealed(batch, { capacity, proofMode }) {
    setAttribute(this.node, 'data-state', batch.state);
    setAttribute(this.node, 'data-proving', batch.proof?.seconds === null);
    setText(this.size, `${count(batch.transactions)} tx`);
    setText(this.reason, reason(batch));
    const present = machines(capacity);
    const shares = Object.fromEntries(present.map(({ key }) => [key, share(batch, capacity, key)]));
    this.#stones(capacity, shares, present.map(({ key, name }) => `${name} ${percent(shares[key])}`).join(', '));
    setText(this.data, settlement('data', batch.sequence));
    setText(this.proof, settlement('proof', batch.verification));
    setAttribute(this.age, 'data-since', batch.timestamp * 1000);
    setText(this.time, progress(batch, proofMode === 'mock'));
  }

  /** The batch that takes transactions: its other counters come with its end. */
  open(open, { capacity }) {
    setAttribute(this.node, 'data-state', 'open');
    setText(this.size, `${count(open.transactions)} tx`);
    setText(this.reason, 'open');
    const most = capacity.transactions;
    const part = most > 0 ? Math.min(1, open.transactions / most) : 0;
    this.#stones(capacity, { transactions: part, signatures: part }, `${plural(open.transactions, 'transaction')} of ${count(most)}`);
    setText(this.data, 'data –');
    setText(this.proof, 'proof –');
    setAttribute(this.age, 'data-since', open.timestamp * 1000);
    setText(this.time, 'filling');
  }
}
