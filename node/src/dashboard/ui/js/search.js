// From what somebody types to the place where it is shown.

import { byId, setText } from './dom.js';

const HASH = /^(0x)?[0-9a-f]{64}$/i;
const ADDRESS = /^(0x)?[0-9a-f]{40}$/i;
const NUMBER = /^(block\s*)?(\d{1,15}|0x[0-9a-f]{1,13})$/i;
const BATCH = /^(batch\s*#?|#)\s*(\d{1,15})$/i;

const prefixed = (hex) => (hex.toLowerCase().startsWith('0x') ? hex : `0x${hex}`).toLowerCase();

/** The route of an entry; null if it is none of the kinds. A hash is a transaction's or a block's. */
export async function locate(rpc, entry) {
  const text = entry.trim();
  if (ADDRESS.test(text)) return `#/address/${prefixed(text)}`;
  if (BATCH.test(text)) return `#/batch/${Number(BATCH.exec(text)[2])}`;
  if (NUMBER.test(text)) return `#/block/${Number(NUMBER.exec(text)[2])}`;
  if (!HASH.test(text)) return null;
  const hash = prefixed(text);
  const { status } = await rpc.call('cairn_getTransactionStatus', [hash]);
  if (status === 'unknown') {
    const block = await rpc.call('eth_getBlockByHash', [hash, false]);
    if (block !== null) return `#/block/${Number(block.number)}`;
  }
  return `#/tx/${hash}`;
}

export function search(rpc) {
  const form = byId('search');
  const query = byId('query');
  const message = byId('search-message');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    setText(message, '');
    if (query.value.trim() === '') return;
    try {
      const route = await locate(rpc, query.value);
      if (route === null) {
        setText(message, 'Not a hash, address, block number or batch (#12).');
        return;
      }
      query.value = '';
      query.blur();
      if (location.hash === route) window.dispatchEvent(new HashChangeEvent('hashchange'));
      else location.hash = route;
    } catch (error) {
      setText(message, `Search failed: ${error.message}`);
    }
  });
  query.addEventListener('input', () => setText(message, ''));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.('input, textarea, select')) return;
    event.preventDefault();
    query.focus();
  });
}
