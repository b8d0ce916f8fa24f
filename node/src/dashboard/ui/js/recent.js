// The latest transactions, and how to send one.

import { byId, h, setAttribute, setText } from './dom.js';
import { count, etherShort, short } from './format.js';
import { copyable } from './views/parts.js';

/** The first account of development chains: public knowledge. */
const DEVELOPMENT_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
/** Chain ids of L1s that are on one's own machine. */
const DEVELOPMENT_L1 = [31337, 1337];
const ROWS = 8;
const STATES = { trusted: 'Trusted', virtual: 'Virtual', consolidated: 'Consolidated' };

export function sendLine(status) {
  const development = DEVELOPMENT_L1.includes(status?.contracts?.l1ChainId);
  const key = development ? DEVELOPMENT_KEY : '$PRIVATE_KEY';
  const to = '0x1111111111111111111111111111111111111111';
  return `cast send --rpc-url ${location.origin} --private-key ${key} ${to} --value 1ether`;
}

function row() {
  const parts = {
    hash: h('span', { class: 'hash' }), from: h('span', { class: 'hash' }), to: h('span', { class: 'hash' }),
    value: h('span', { class: 'recent-value' }), state: h('span', { class: 'chip' }), age: h('span', { class: 'recent-age' }),
  };
  parts.node = h('a', { class: 'recent-row', hidden: true }, parts.hash,
    h('span', { class: 'recent-way' }, parts.from, h('span', { class: 'arrow', 'aria-label': 'to' }, '→'), parts.to),
    parts.value, parts.state, parts.age);
  return parts;
}

/** The state of a block. */
export function stateOf(states, block) {
  if (block <= states.consolidated.block) return 'consolidated';
  return block <= states.virtual.block ? 'virtual' : 'trusted';
}

export function recent(store) {
  const rows = Array.from({ length: ROWS }, row);
  const empty = h('p', { class: 'recent-empty' }, 'No transaction yet. The command below sends the first one.');
  const [line, setLine] = copyable('', 'Copy the command');
  const list = h('div', { class: 'recent-rows' }, rows.map(({ node }) => node), empty);
  byId('recent').append(list, h('div', { class: 'send' }, h('span', { class: 'send-label' }, 'Send one'), line));

  const draw = () => {
    if (store.status === null) return;
    setLine(sendLine(store.status));
    empty.hidden = store.status.states.trusted.block > 0;
    rows.forEach((parts, i) => {
      const block = store.recent[i];
      parts.node.hidden = block === undefined;
      if (block === undefined) return;
      const { tx, number, timestamp } = block;
      const state = stateOf(store.status.states, number);
      setAttribute(parts.node, 'href', `#/tx/${tx.hash}`);
      setAttribute(parts.node, 'data-tx', tx.hash);
      setText(parts.hash, short(tx.hash));
      setText(parts.from, short(tx.from));
      setText(parts.to, tx.to ? short(tx.to) : 'new contract');
      setText(parts.value, etherShort(tx.value));
      setText(parts.state, STATES[state]);
      setAttribute(parts.state, 'data-state', state);
      setAttribute(parts.age, 'data-since', timestamp * 1000);
      setAttribute(parts.node, 'title', `block ${count(number)}`);
    });
  };
  store.addEventListener('recent', draw);
  store.addEventListener('status', draw);
}
