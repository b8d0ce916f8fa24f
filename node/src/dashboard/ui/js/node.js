// Pool, prover and node.

import { byId, h, setAttribute, setText } from './dom.js';
import { count, gwei, plural } from './format.js';
import { copyable } from './views/parts.js';

function card(title, ...children) {
  return h('section', { class: 'card facts', 'aria-label': title }, h('div', { class: 'card-head' }, h('h2', null, title)), children);
}

/** Rows of name and value; returns the values' nodes by name. */
function facts(names) {
  const values = Object.fromEntries(names.map((name) => [name, h('dd', null, '–')]));
  return [h('dl', null, names.map((name) => h('div', { class: 'fact' }, h('dt', null, name), values[name]))), values];
}

function pool() {
  const [list, values] = facts(['pending', 'queued', 'least price']);
  const meter = h('span', { class: 'meter', role: 'img' }, h('span', { class: 'meter-fill' }));
  const update = ({ pool: { pending, queued, limit, minGasPriceWei } }) => {
    setText(values.pending, count(pending));
    setText(values.queued, count(queued));
    setText(values['least price'], gwei(minGasPriceWei));
    meter.style.setProperty('--share', limit > 0 ? ((pending + queued) / limit).toFixed(4) : 0);
    setAttribute(meter, 'aria-label', `${plural(pending + queued, 'transaction')} of ${count(limit)}`);
    setAttribute(meter, 'title', `${count(pending + queued)} of ${count(limit)}`);
  };
  return [card('Pool', list, meter), update];
}

/** Shapes whose keys are usable, and what is done for the first of the others. */
function keys(shapes) {
  const usable = shapes.filter(({ key }) => key.state === 'usable').map(({ name }) => name);
  const other = shapes.find(({ key }) => key.state !== 'usable');
  return [usable.join(', '), other ? `${other.name} ${other.key.phase ?? other.key.state}` : ''].filter(Boolean).join('; ') || '–';
}

function prover() {
  const [list, values] = facts(['queue', 'at work', 'for', 'keys']);
  const update = ({ prover: { queue, proving }, proofMode, shapes }) => {
    setText(values.keys, keys(shapes));
    setAttribute(values.keys, 'title', shapes.map(({ name, key }) => `${name}: ${key.phase ?? key.state}`).join(', '));
    setText(values.queue, plural(queue, 'batch', 'batches'));
    setText(values['at work'], proving ? `batch #${count(proving.batch)}` : 'idle');
    setAttribute(values.for, 'data-elapsed', proving ? proving.startedMs : null);
    if (!proving) setText(values.for, proofMode === 'mock' ? 'proves nothing' : '–');
  };
  return [card('Prover', list), update];
}

function node() {
  const [list, values] = facts(['version', 'chain id', 'L1 chain id']);
  const contracts = h('dl', { class: 'contracts' });
  let drawn = '';
  const update = ({ version, chainId, contracts: c }) => {
    setText(values.version, version);
    setText(values['chain id'], chainId);
    setText(values['L1 chain id'], c ? c.l1ChainId : '–');
    const addresses = c ? [['ZkEVM', c.zkevm], ['GlobalExitRoot', c.globalExitRoot],
      ...c.verifiers.map(({ shape, address }) => [`Verifier ${shape}`, address])] : [];
    if (drawn === String(addresses)) return;
    drawn = String(addresses);
    contracts.replaceChildren(...addresses.map(([name, address]) => (
      h('div', { class: 'fact' }, h('dt', null, name), h('dd', null, copyable(address, `Copy the address of ${name}`)[0])))));
  };
  return [card('Node', list, contracts), update];
}

export function side(store) {
  const cards = [pool(), prover(), node()];
  byId('side').append(...cards.map(([section]) => section));
  store.addEventListener('status', () => cards.forEach(([, update]) => update(store.status)));
}
