// A block.

import { h } from '../dom.js';
import { byteLength, count, date, quantity } from '../format.js';
import { stateOf } from '../recent.js';
import { addressLink, copyable, link, notice, steps, table } from './parts.js';

export async function blockView({ rpc, store }, id) {
  const number = Number(id);
  const quantityOf = `0x${number.toString(16)}`;
  const [block, batch] = await Promise.all([
    rpc.call('eth_getBlockByNumber', [quantityOf, true]),
    rpc.call('zkevm_batchNumberByBlockNumber', [quantityOf]),
  ]);
  const title = `Block ${count(number)}`;
  if (block === null) {
    const head = store.status?.states.trusted.block;
    return { title, settled: false, body: notice(`There is no such block yet.${head === undefined ? '' : ` The newest is ${count(head)}.`}`) };
  }
  const batchNumber = quantity(batch);
  const [tx] = block.transactions;
  const { states } = await rpc.call('cairn_status', []);
  const state = stateOf(states, number);
  const summary = batchNumber > 0 && state !== 'trusted' ? (await rpc.call('cairn_getBatches', [batchNumber, 1]))[0] : null;
  const body = h('div', { class: 'view' },
    h('p', { class: 'subject' }, copyable(block.hash, 'Copy the block’s hash')[0]),
    steps(state, summary?.sequence?.txHash, summary?.verification?.txHash),
    table([
      ['Batch', batchNumber === 0 ? 'genesis' : link('batch', batchNumber, `#${count(batchNumber)}`)],
      ['Time', date(quantity(block.timestamp) * 1000)],
      ['Transaction', tx ? link('tx', tx.hash) : 'none'],
      ['From', tx ? addressLink(tx.from) : null],
      ['To', tx ? (tx.to ? addressLink(tx.to) : 'creates a contract') : null],
      ['Gas used', `${count(quantity(block.gasUsed))} of ${count(quantity(block.gasLimit))}`],
      ['Coinbase', addressLink(block.miner)],
      ['State root', h('code', null, block.stateRoot)],
      ['Parent', number > 0 ? link('block', number - 1, block.parentHash) : null],
      ['Extra data', byteLength(block.extraData) > 0 ? h('code', null, block.extraData) : null],
    ]),
    h('nav', { class: 'neighbours', 'aria-label': 'Neighbours' },
      number > 0 ? link('block', number - 1, `← ${count(number - 1)}`) : h('span', null),
      number < states.trusted.block ? link('block', number + 1, `${count(number + 1)} →`) : h('span', null)));
  return { title, body, settled: state === 'consolidated' && number < states.trusted.block };
}
