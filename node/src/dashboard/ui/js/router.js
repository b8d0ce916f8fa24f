// The part of the address after `#` decides what is shown: the overview, or one thing in detail.

import { byId, h } from './dom.js';
import { addressView } from './views/address.js';
import { batchView } from './views/batch.js';
import { blockView } from './views/block.js';
import { transactionView } from './views/transaction.js';

const ROUTES = [
  [/^#\/tx\/(0x[0-9a-f]{64})$/, transactionView],
  [/^#\/block\/(\d+)$/, blockView],
  [/^#\/batch\/(\d+)$/, batchView],
  [/^#\/address\/(0x[0-9a-f]{40})$/i, addressView],
];
/** Between two looks at something that may still change. */
const PAUSE_MS = 700;

/** `view(context, id)` returns `{ title, body, settled }`; a settled thing does not change any more. */
export function router(context) {
  const { store } = context;
  const overview = byId('overview');
  const detail = byId('detail');
  let shown = null;

  async function draw(view, id, route, focus) {
    let title;
    let body;
    try {
      ({ title, body, settled: shown.settled } = await view(context, id));
    } catch (error) {
      title = 'Not available';
      body = h('p', { class: 'notice' }, error.message);
    }
    if (location.hash !== route) return;
    const heading = h('h1', { tabindex: '-1' }, title);
    // What was opened, and where the reader is, outlives a new drawing.
    const open = [...detail.querySelectorAll('details')].map((part) => part.open);
    const active = document.activeElement?.closest?.('#detail') ? document.activeElement.getAttribute('href') : null;
    detail.replaceChildren(h('a', { class: 'back', href: '#/' }, '← Overview'), heading, body);
    detail.querySelectorAll('details').forEach((part, i) => { if (!focus && open[i] !== undefined) part.open = open[i]; });
    document.title = `${title} · Cairn`;
    if (focus) {
      heading.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    } else if (active !== null) {
      [...detail.querySelectorAll('a')].find((link) => link.getAttribute('href') === active)?.focus({ preventScroll: true });
    }
  }

  function go() {
    const route = location.hash;
    const found = ROUTES.map(([pattern, view]) => [pattern.exec(route), view]).find(([match]) => match !== null);
    overview.hidden = found !== undefined;
    detail.hidden = found === undefined;
    if (found === undefined) {
      shown = null;
      detail.replaceChildren();
      document.title = 'Cairn';
      return;
    }
    const [match, view] = found;
    shown = { route, view, id: match[1], settled: false, timer: null };
    detail.replaceChildren(h('p', { class: 'notice' }, 'Looking…'));
    if (store.connection === 'open') draw(view, match[1], route, true);
  }

  function refresh() {
    if (shown === null || shown.settled || shown.timer !== null) return;
    const current = shown;
    current.timer = setTimeout(() => {
      current.timer = null;
      if (shown === current && !current.settled) draw(current.view, current.id, current.route, false);
    }, PAUSE_MS);
  }

  window.addEventListener('hashchange', go);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && shown !== null) location.hash = '#/';
  });
  store.addEventListener('connection', () => {
    if (store.connection === 'open' && shown !== null) {
      shown.settled = false;
      draw(shown.view, shown.id, shown.route, false);
    }
  });
  store.addEventListener('status', refresh);
  go();
}
