// The chain's head in its three states.

import { byId, h, setAttribute, setText } from './dom.js';
import { count, plural, seconds } from './format.js';

const STATES = [
  { key: 'trusted', name: 'Trusted', tag: 'latest', meaning: 'in a block: the sequencer’s word' },
  { key: 'virtual', name: 'Virtual', tag: 'safe', meaning: 'data is on L1' },
  { key: 'consolidated', name: 'Consolidated', tag: 'finalized', meaning: 'proof is verified on L1' },
];

function card({ key, name, tag, meaning }) {
  const parts = {
    block: h('span', { class: 'head-block', 'data-head': key }, '–'),
    batch: h('span', { class: 'head-batch' }, 'batch –'),
    lag: h('span', { class: 'head-lag' }, '\u00a0'),
  };
  parts.node = h('a', { class: 'card head', href: '#/', 'data-state': key },
    h('span', { class: 'head-top' }, h('span', { class: 'head-name' }, name), h('code', { class: 'tag' }, tag)),
    h('span', { class: 'head-meaning' }, meaning),
    h('span', { class: 'head-line' }, h('span', { class: 'head-unit' }, 'block'), parts.block, parts.batch),
    parts.lag);
  return parts;
}

function lag(states, key) {
  if (key === 'trusted') return 'the newest block';
  const blocks = states.trusted.block - states[key].block;
  const batches = states.trusted.batch - states[key].batch;
  if (blocks === 0) return 'level with trusted';
  const time = Math.max(0, states.trusted.timestamp - states[key].timestamp);
  // Block 0 is from 1970.
  const behind = states[key].block === 0 ? '' : ` · ${seconds(time)}`;
  return `${plural(blocks, 'block')} · ${plural(batches, 'batch', 'batches')}${behind} behind`;
}

export function heads(store) {
  const cards = STATES.map((state) => ({ key: state.key, ...card(state) }));
  byId('heads').append(...cards.map(({ node }) => node));
  store.addEventListener('status', () => {
    const { states } = store.status;
    for (const { key, node, block, batch, lag: line } of cards) {
      const head = states[key];
      setAttribute(node, 'href', `#/block/${head.block}`);
      setText(block, count(head.block));
      setText(batch, `batch ${count(head.batch)}`);
      setText(line, lag(states, key));
    }
  });
}
