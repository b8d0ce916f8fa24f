// Joins the parts. One connection, one store, everything else draws what the store says.

import { header } from './header.js';
import { heads } from './heads.js';
import { ago, seconds } from './format.js';
import { setText } from './dom.js';
import { side } from './node.js';
import { pipeline } from './pipeline.js';
import { plots } from './plots.js';
import { recent } from './recent.js';
import { router } from './router.js';
import { Rpc } from './rpc.js';
import { search } from './search.js';
import { Store } from './store.js';

// The page may be behind a proxy, under a path: its own address, as a WebSocket.
const url = new URL('.', location.href);
url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';

const rpc = new Rpc(url.href);
const store = new Store(rpc);
for (const part of [header, heads, pipeline, recent, side, plots]) part(store);
search(rpc);
router({ rpc, store });

/** Ages and durations go on by themselves. */
function tick() {
  for (const node of document.querySelectorAll('[data-since]')) {
    setText(node, ago(Math.max(0, store.now() - Number(node.dataset.since)) / 1000));
  }
  for (const node of document.querySelectorAll('[data-elapsed]')) {
    setText(node, seconds(Math.max(0, store.now() - Number(node.dataset.elapsed)) / 1000));
  }
}
for (const event of ['status', 'batches', 'recent']) store.addEventListener(event, tick);
setInterval(tick, 1000);

rpc.start();
