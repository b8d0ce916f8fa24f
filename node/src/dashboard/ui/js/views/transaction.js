// A transaction: where it is, what it asked for, what came of it.

import { h } from '../dom.js';
import { count, date, ether, gwei, quantity } from '../format.js';
import { addressLink, bytes, chip, copyable, link, notice, steps, table } from './parts.js';

const REACHED = { included: 'trusted', virtual: 'virtual', consolidated: 'consolidated' };
const TYPES = { '0x0': 'legacy', '0x1': 'access list (EIP-2930)', '0x2': 'dynamic fee (EIP-1559)' };

/** Why a transaction failed: it is called again on the state before its block. */
async function failure(rpc, tx, block) {
  const call = { from: tx.from, to: tx.to, value: tx.value, input: tx.input, gas: tx.gas };
  try {
    await rpc.call('eth_call', [call, `0x${(block - 1).toString(16)}`]);
    return 'not known: called again, it succeeds';
  } catch (error) {
    return h('span', null, error.message, typeof error.data === 'string' && error.data !== '0x' ? bytes(error.data) : null);
  }
}

function logs(receipt) {
  if (receipt.logs.length === 0) return null;
  return h('section', { class: 'card' }, h('h2', null, `Logs (${count(receipt.logs.length)})`), receipt.logs.map((log, i) => (
    h('div', { class: 'log' },
      h('p', null, h('span', { class: 'quiet' }, `${i}  `), addressLink(log.address)),
      h('ol', { class: 'topics', 'aria-label': 'Topics' }, log.topics.map((topic) => h('li', null, h('code', null, topic)))),
      bytes(log.data)))));
}

function outcome(receipt) {
  return receipt.status === '0x1' ? chip('good', 'Success') : chip('bad', 'Failed');
}

function price(tx) {
  if (tx.type === '0x2') return `at most ${gwei(tx.maxFeePerGas)}, tip at most ${gwei(tx.maxPriorityFeePerGas)}`;
  return gwei(tx.gasPrice);
}

export async function transactionView({ rpc }, hash) {
  const [status, tx, receipt] = await Promise.all([
    rpc.call('cairn_getTransactionStatus', [hash]),
    rpc.call('eth_getTransactionByHash', [hash]),
    rpc.call('eth_getTransactionReceipt', [hash]),
  ]);
  const body = h('div', { class: 'view', 'data-status': status.status });
  const [line] = copyable(hash, 'Copy the transaction’s hash');
  body.append(h('p', { class: 'subject' }, line));
  const state = REACHED[status.status];
  if (state !== undefined) body.append(steps(state, status.sequenceTxHash, status.verifyTxHash));
  else if (status.status === 'pooled') body.append(notice(chip('open', 'Pooled'), ' ', status.reason));
  else if (status.status === 'dropped') body.append(notice(chip('bad', 'Dropped'), ' ', status.reason));
  else body.append(notice('This node knows no transaction with this hash. It was never sent here, or was refused.'));
  if (tx !== null) {
    const block = quantity(tx.blockNumber);
    body.append(table([
      ['Outcome', receipt && outcome(receipt)],
      ['Reason', receipt && receipt.status !== '0x1' ? await failure(rpc, tx, block) : null],
      ['Block', block === null ? null : link('block', block, count(block))],
      ['Batch', status.batch === null ? null : link('batch', status.batch, `#${count(status.batch)}`)],
      ['Time', tx.blockTimestamp ? date(quantity(tx.blockTimestamp) * 1000) : null],
      ['From', addressLink(tx.from)],
      ['To', tx.to ? addressLink(tx.to) : 'creates a contract'],
      ['Contract', receipt?.contractAddress ? addressLink(receipt.contractAddress) : null],
      ['Value', ether(tx.value)],
      ['Fee', receipt && ether(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice))],
      ['Gas', receipt ? `${count(quantity(receipt.gasUsed))} of ${count(quantity(tx.gas))}` : `limit ${count(quantity(tx.gas))}`],
      ['Gas price', receipt ? `${gwei(receipt.effectiveGasPrice)} (${price(tx)})` : price(tx)],
      ['Nonce', count(quantity(tx.nonce))],
      ['Type', TYPES[tx.type] ?? String(tx.type)],
      ['Calldata', bytes(tx.input)],
    ]));
  }
  if (receipt) body.append(...[logs(receipt)].filter((part) => part !== null));
  return { title: 'Transaction', body, settled: status.status === 'consolidated' };
}
