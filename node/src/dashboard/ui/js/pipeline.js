// Batches on their way: three lanes, and tiles that move from one to the next.

import { byId, h, setText } from './dom.js';
import { count } from './format.js';
import { COUNTERS, Tile } from './tile.js';

const LANES = [
  { key: 'trusted', name: 'Trusted', empty: 'No batch waits for L1.' },
  { key: 'virtual', name: 'Virtual', empty: 'No batch waits for its proof on L1.' },
  { key: 'consolidated', name: 'Consolidated', empty: 'No batch is proven on L1 yet.' },
];
const MOVE = { duration: 650, easing: 'cubic-bezier(.2,.8,.2,1)' };
const APPEAR = [{ opacity: 0, transform: 'translateY(-8px) scale(.97)' }, { opacity: 1, transform: 'none' }];

const phone = matchMedia('(max-width: 720px)');
/** One column of tiles in each lane. */
const narrow = matchMedia('(max-width: 1180px)');
const still = matchMedia('(prefers-reduced-motion: reduce)');

function lane({ key, name, empty }) {
  const parts = {
    count: h('span', { class: 'lane-count' }, '0'),
    tiles: h('div', { class: 'lane-tiles' }),
    more: h('p', { class: 'lane-more' }, '\u00a0'),
    empty: h('p', { class: 'lane-empty' }, empty),
  };
  parts.node = h('div', { class: 'lane', 'data-state': key },
    h('h3', { class: 'lane-name' }, h('span', { class: 'mark' }), name, parts.count),
    h('div', { class: 'lane-body' }, parts.tiles, parts.empty),
    parts.more);
  return parts;
}

export function pipeline(store) {
  const legend = new Map(COUNTERS.map(({ key, name, help, colour }) => [key, h('li', { title: help }, h('span', { class: 'key', 'data-colour': colour }), name)]));
  byId('counter-legend').append(...legend.values());
  const lanes = Object.fromEntries(LANES.map((l) => [l.key, lane(l)]));
  byId('lanes').append(...Object.values(lanes).map(({ node }) => node));
  /** Batch number → tile. */
  const tiles = new Map();

  /** The open batch; after its end, until its summary is here. */
  let opened = null;

  /** Which batches a lane shows, and how many it has. */
  function sort() {
    const { openBatch, states, sealedBatch } = store.status;
    const most = phone.matches ? 2 : narrow.matches ? 3 : 6;
    opened = openBatch ?? opened;
    const isOpen = opened !== null && opened.number > (store.batches[0]?.number ?? 0) && opened.number <= sealedBatch + 1;
    const open = isOpen ? [opened] : [];
    const of = (state) => store.batches.filter((batch) => batch.state === state);
    // The newest, and of those that wait the one whose turn is next.
    const fit = (list) => (list.length <= most ? list : [...list.slice(0, most - 1), list.at(-1)]);
    return {
      trusted: { total: sealedBatch - states.virtual.batch + (openBatch ? 1 : 0), shown: fit([...open, ...of('trusted')]) },
      virtual: { total: states.virtual.batch - states.consolidated.batch, shown: fit(of('virtual')) },
      consolidated: { total: states.consolidated.batch, shown: of('consolidated').slice(0, most) },
    };
  }

  function place(shown, status) {
    return shown.map((batch) => {
      const tile = tiles.get(batch.number) ?? new Tile(batch.number);
      tiles.set(batch.number, tile);
      if (batch.state === undefined) tile.open(batch, status);
      else tile.sealed(batch, status);
      return tile.node;
    });
  }

  function draw() {
    if (store.status === null) return;
    for (const [key, item] of legend) item.hidden = store.status.capacity[key] === 0;
    const before = new Map([...tiles].map(([number, { node }]) => [number, node.getBoundingClientRect()]));
    const sorted = sort();
    const kept = new Set();
    for (const [key, { total, shown }] of Object.entries(sorted)) {
      const { tiles: box, count: label, more, empty } = lanes[key];
      const nodes = place(shown, store.status);
      shown.forEach(({ number }) => kept.add(number));
      // Only what is elsewhere is moved: focus and hover stay.
      nodes.forEach((node, i) => { if (box.children[i] !== node) box.insertBefore(node, box.children[i] ?? null); });
      setText(label, count(total));
      setText(more, total > shown.length ? `and ${count(total - shown.length)} more` : '\u00a0');
      empty.hidden = shown.length > 0;
    }
    for (const [number, { node }] of tiles) {
      if (kept.has(number)) continue;
      node.remove();
      tiles.delete(number);
    }
    animate(before);
  }

  /** From where a tile was to where it is. */
  function animate(before) {
    if (still.matches || document.visibilityState !== 'visible') return;
    for (const [number, { node }] of tiles) {
      const old = before.get(number);
      if (old === undefined) {
        node.animate(APPEAR, MOVE);
        continue;
      }
      const now = node.getBoundingClientRect();
      const [x, y] = [old.left - now.left, old.top - now.top];
      if (now.width === 0 || old.width === 0 || Math.abs(x) + Math.abs(y) < 1) continue;
      node.animate([{ transform: `translate(${x}px, ${y}px)`, zIndex: 1 }, { transform: 'none', zIndex: 1 }], MOVE);
    }
  }

  store.addEventListener('batches', draw);
  store.addEventListener('status', draw);
  for (const width of [phone, narrow]) width.addEventListener('change', draw);
}
