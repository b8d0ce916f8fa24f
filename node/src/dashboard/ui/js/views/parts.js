// What the detail views are made of.

import { h, setText } from '../dom.js';
import { byteLength, count, readable } from '../format.js';

const STEPS = [['trusted', 'Trusted', 'in a block'], ['virtual', 'Virtual', 'data on L1'], ['consolidated', 'Consolidated', 'proof on L1']];
/** Longest hex that is written out, in characters. */
const MOST_HEX = 4096;

/** A text with a button that copies it, and a function that replaces the text. */
export function copyable(text, label) {
  const code = h('code', { class: 'copy-text' }, text);
  const button = h('button', { class: 'copy', type: 'button', 'aria-label': label }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      setText(button, 'Copied');
    } catch {
      // Without a secure origin there is no clipboard: the text is selected instead.
      getSelection().selectAllChildren(code);
      setText(button, 'Selected');
    }
    setTimeout(() => setText(button, 'Copy'), 1500);
  });
  return [h('span', { class: 'copyable' }, code, button), (value) => setText(code, value)];
}

export const link = (kind, id, text) => h('a', { class: 'hash', href: `#/${kind}/${id}` }, text ?? String(id));
export const addressLink = (address) => link('address', address.toLowerCase(), address);

/** Rows of name and value; rows without a value are left out. */
export function table(rows) {
  return h('dl', { class: 'card facts wide' }, rows
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => h('div', { class: 'fact' }, h('dt', null, name), h('dd', null, value))));
}

/** The three states, up to `reached` (index of STEPS; -1: none), with the L1 transactions. */
export function steps(state, sequence, verification) {
  const reached = STEPS.findIndex(([key]) => key === state);
  const l1 = { virtual: sequence, consolidated: verification };
  return h('ol', { class: 'steps', 'aria-label': 'State' }, STEPS.map(([key, name, meaning], i) => (
    h('li', { class: 'step', 'data-state': key, 'data-reached': i <= reached, 'aria-current': i === reached ? 'step' : null },
      h('span', { class: 'step-name' }, h('span', { class: 'mark' }), name),
      h('span', { class: 'step-meaning' }, i <= reached ? meaning : 'not yet'),
      l1[key] ? h('span', { class: 'step-l1' }, h('span', null, 'L1 transaction'), copyable(l1[key], 'Copy the hash of the L1 transaction')[0]) : null))));
}

/** Bytes in hex, and what can be read of them as text. */
export function bytes(hex) {
  if (hex === undefined || hex === null || hex === '0x') return h('span', { class: 'quiet' }, 'none');
  const text = readable(hex);
  const cut = hex.length > MOST_HEX;
  return h('div', { class: 'bytes' },
    h('pre', null, cut ? `${hex.slice(0, MOST_HEX)}…` : hex),
    text === null ? null : h('p', { class: 'as-text' }, h('span', { class: 'quiet' }, 'as text '), h('q', null, text)),
    h('p', { class: 'quiet' }, `${count(byteLength(hex))} bytes`));
}

export const notice = (...children) => h('p', { class: 'card notice' }, children);
export const chip = (state, text) => h('span', { class: 'chip', 'data-state': state }, text);
