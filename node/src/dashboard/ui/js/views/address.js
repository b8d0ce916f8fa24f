// An account: what it has in each state, and its transactions.

import { h } from '../dom.js';
import { byteLength, count, ether, etherShort, plural, quantity, short } from '../format.js';
import { chip, copyable, link, notice, table } from './parts.js';

const PAGE = 25;
const STATES = { trusted: 'Trusted', virtual: 'Virtual', consolidated: 'Consolidated' };

function row(address, tx) {
  const out = tx.from.toLowerCase() === address;
  const other = out ? tx.to : tx.from;
  return h('tr', null,
    h('td', null, link('tx', tx.hash, short(tx.hash))),
    h('td', null, link('block', tx.block, count(tx.block))),
    h('td', { class: 'direction' }, out ? 'to' : 'from'),
    h('td', null, other ? link('address', other.toLowerCase(), short(other)) : 'new contract'),
    h('td', { class: 'number' }, etherShort(tx.value)),
    h('td', null, tx.success ? chip(tx.state, STATES[tx.state]) : chip('bad', 'Failed')));
}

function history(rpc, address, page) {
  if (page.transactions.length === 0) return notice('No transaction touches this address yet.');
  const rows = h('tbody', null, page.transactions.map((tx) => row(address, tx)));
  const older = h('button', { type: 'button', hidden: page.next === null }, 'Older');
  let { next } = page;
  older.addEventListener('click', async () => {
    older.disabled = true;
    try {
      const more = await rpc.call('cairn_getAddressTransactions', [address, next, PAGE]);
      rows.append(...more.transactions.map((tx) => row(address, tx)));
      next = more.next;
      older.hidden = next === null;
    } finally {
      older.disabled = false;
    }
  });
  return h('section', { class: 'card' }, h('h2', null, 'Transactions'), h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Transactions' },
    h('table', { class: 'history' },
      h('thead', null, h('tr', null, ['Hash', 'Block', 'Way', 'Other', 'Value', 'State'].map((name) => h('th', { scope: 'col' }, name)))), rows)), older);
}

export async function addressView({ rpc }, id) {
  const address = id.toLowerCase();
  const [latest, safe, finalized, nonce, pending, code, page] = await Promise.all([
    rpc.call('eth_getBalance', [address, 'latest']),
    rpc.call('eth_getBalance', [address, 'safe']),
    rpc.call('eth_getBalance', [address, 'finalized']),
    rpc.call('eth_getTransactionCount', [address, 'latest']),
    rpc.call('eth_getTransactionCount', [address, 'pending']),
    rpc.call('eth_getCode', [address, 'latest']),
    rpc.call('cairn_getAddressTransactions', [address, null, PAGE]),
  ]);
  const waiting = quantity(pending) - quantity(nonce);
  const body = h('div', { class: 'view' },
    h('p', { class: 'subject' }, copyable(address, 'Copy the address')[0]),
    table([
      ['Balance', ether(latest)],
      ['Virtual', safe === latest ? 'the same' : ether(safe)],
      ['Consolidated', finalized === latest ? 'the same' : ether(finalized)],
      ['Nonce', `${count(quantity(nonce))}${waiting > 0 ? `, ${plural(waiting, 'transaction')} in the pool` : ''}`],
      ['Code', code === '0x' ? 'none: an account' : `${count(byteLength(code))} bytes: a contract`],
    ]),
    history(rpc, address, page));
  // Anything may happen to an account; a page that somebody turned is left alone.
  return { title: 'Address', body, settled: page.next !== null };
}
