// A batch: how full it is, what it took to prove and to settle, what is in it.

import { h } from '../dom.js';
import { byteLength, count, date, percent, plural, seconds } from '../format.js';
import { machines, reason, share } from '../tile.js';
import { addressLink, copyable, link, notice, steps, table } from './parts.js';

/** Most transactions that are listed. */
const LISTED = 200;

function counters(batch, capacity) {
  return h('section', { class: 'card' }, h('h2', null, 'Counters'), h('table', { class: 'counters' },
    h('thead', null, h('tr', null, ['Machine', 'Used', 'Capacity', 'Share'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', null, machines(capacity).map(({ key, name, help, colour }) => {
      const part = share(batch, capacity, key);
      return h('tr', null,
        h('th', { scope: 'row', title: help }, h('span', { class: 'key', 'data-colour': colour }), name),
        h('td', null, count(batch.counters[key])), h('td', null, count(capacity[key])),
        h('td', null, h('span', { class: 'bar', 'data-colour': colour, vars: { '--share': part } }), percent(part)));
    }))));
}

/** An L1 transaction in one line. */
function settlement(tx) {
  if (!tx) return 'not yet';
  const range = tx.firstBatch === tx.lastBatch ? 'this batch alone' : `batches ${count(tx.firstBatch)} to ${count(tx.lastBatch)}`;
  const gas = tx.gasUsed === null ? '' : `, ${count(tx.gasUsed)} gas: ${count(Math.round(tx.gasUsed / tx.transactions))} per transaction`;
  return h('div', null, copyable(tx.txHash, 'Copy the hash of the L1 transaction')[0],
    h('p', { class: 'quiet' }, `${range}${gas}${tx.settledMs === null ? '' : `, ${date(tx.settledMs)}`}`));
}

function proof(batch, mode) {
  if (batch.proof === null) return 'waits for the prover';
  if (batch.proof.seconds === null) return h('span', null, 'is being made since ', h('span', { 'data-elapsed': batch.proof.startedMs }, '…'));
  return `${mode === 'mock' ? 'MOCK, nothing is proven: ' : ''}took ${seconds(batch.proof.seconds)}, begun ${date(batch.proof.startedMs)}`;
}

export async function batchView({ rpc, store }, id) {
  const number = Number(id);
  const title = `Batch #${count(number)}`;
  const [[batch], full] = await Promise.all([
    rpc.call('cairn_getBatches', [number, 1]),
    rpc.call('zkevm_getBatchByNumber', [`0x${number.toString(16)}`]),
  ]);
  const { capacity: largest, shapes, openBatch, proofMode } = store.status ?? await rpc.call('cairn_status', []);
  if (batch?.number !== number || full === null) {
    const text = openBatch?.number === number
      ? `This batch is open: ${plural(openBatch.transactions, 'transaction')} so far.` : 'There is no such batch.';
    return { title, body: notice(text), settled: false };
  }
  const hashes = full.transactions;
  // Of the shape that it is proven in; of the largest, which closed it, before one is chosen.
  const capacity = shapes.find(({ id }) => id === batch.proof?.shapeId)?.capacity ?? largest;
  const body = h('div', { class: 'view' },
    steps(batch.state, batch.sequence?.txHash, batch.verification?.txHash),
    table([
      ['Transactions', count(batch.transactions)],
      ['Blocks', h('span', null, link('block', batch.firstBlock, count(batch.firstBlock)), ' to ', link('block', batch.lastBlock, count(batch.lastBlock)))],
      ['Opened', date(batch.timestamp * 1000)],
      ['Closed', `${date(batch.sealedMs)}, ${reason(batch)}`],
      ['Proof', proof(batch, proofMode)],
      ['Circuit shape', batch.proof === null ? 'not chosen yet' : `${batch.proof.shape} (id ${batch.proof.shapeId})`],
      ['Data on L1', settlement(batch.sequence)],
      ['Proof on L1', settlement(batch.verification)],
      ['Bytes on L1', count(byteLength(full.batchL2Data))],
      ['Coinbase', addressLink(full.coinbase)],
      ['State root', h('code', null, batch.stateRoot)],
      ['Accumulated hash', h('code', null, batch.accInputHash)],
      ['Local exit root', h('code', null, full.localExitRoot)],
    ]),
    counters(batch, capacity),
    h('section', { class: 'card' }, h('h2', null, 'Transactions'),
      h('ol', { class: 'hashes' }, hashes.slice(0, LISTED).map((hash) => h('li', null, link('tx', hash)))),
      hashes.length > LISTED ? h('p', { class: 'quiet' }, `and ${count(hashes.length - LISTED)} more`) : null));
  return { title, body, settled: batch.state === 'consolidated' };
}
