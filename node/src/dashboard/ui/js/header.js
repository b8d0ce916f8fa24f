// Chain, proof mode and connection, in the header.

import { byId, setAttribute, setText } from './dom.js';

const CONNECTION = { open: 'Live', connecting: 'Connecting', closed: 'Reconnecting' };

export function header(store) {
  const badge = byId('proof-mode');
  const connection = byId('connection');

  store.addEventListener('connection', () => {
    // Between two tries nothing is news.
    const lost = store.connection !== 'open' && store.status !== null;
    setAttribute(connection, 'data-state', lost ? 'closed' : store.connection);
    setText(byId('connection-text'), lost ? CONNECTION.closed : CONNECTION[store.connection]);
    document.body.classList.toggle('stale', lost);
  });

  store.addEventListener('status', () => {
    const { chainId, proofMode } = store.status;
    setText(byId('chain-id'), `chain ${chainId}`);
    badge.hidden = false;
    const mock = proofMode === 'mock';
    badge.classList.toggle('badge-mock', mock);
    setText(badge, mock ? 'MOCK: nothing is proven' : `${proofMode[0].toUpperCase()}${proofMode.slice(1)} proofs`);
  });
}
