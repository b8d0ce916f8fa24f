// One plot: a title, what the newest or pointed-at value is, a canvas, and a sentence for those who do not see it.

/* global uPlot */

import { h, setAttribute, setText } from './dom.js';

const HEIGHT = 190;
const dark = matchMedia('(prefers-color-scheme: dark)');

/** A colour of the style sheet. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const FONT = '12px system-ui, sans-serif';

export function axis(options) {
  return {
    stroke: () => colour('muted'), font: FONT, labelFont: FONT,
    grid: { stroke: () => colour('line'), width: 1 }, ticks: { show: false }, ...options,
  };
}

/**
 * `options`: what uPlot gets besides size and data. `readout(index or null)`: the text next to the title.
 * `summary()`: the sentence. `empty`: the text without data.
 */
export class Plot {
  #plot = null;
  #data = null;
  #options;
  #readout;
  #summary;

  constructor({ title, unit, keys = [], empty, options, readout, summary }) {
    this.#options = options;
    this.#readout = readout;
    this.#summary = summary;
    this.unit = h('span', { class: 'plot-unit' }, unit);
    this.value = h('span', { class: 'plot-value' }, '\u00a0');
    this.box = h('div', { class: 'plot-box', role: 'img', 'aria-label': title });
    this.empty = h('p', { class: 'plot-empty' }, empty);
    this.keys = keys.map(([name, text]) => h('li', null, h('span', { class: 'key', 'data-colour': name }), text));
    this.node = h('figure', { class: 'card plot' },
      h('figcaption', { class: 'card-head' },
        h('span', { class: 'plot-title' }, h('h2', null, title), this.unit), this.value),
      h('ul', { class: 'legend' }, this.keys),
      h('div', { class: 'plot-frame' }, this.box, this.empty));
    // Colours are in the canvas: another scheme is another plot.
    dark.addEventListener('change', () => this.#make());
    new ResizeObserver(() => this.#resize()).observe(this.box);
  }

  #width() {
    return Math.floor(this.box.clientWidth);
  }

  #resize() {
    const width = this.#width();
    if (width > 0 && this.#plot === null && this.#data !== null) this.#make();
    else if (width > 0 && this.#plot !== null && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #make() {
    this.#plot?.destroy();
    this.#plot = null;
    const width = this.#width();
    if (width === 0 || this.#data === null) return;
    const hooks = { setCursor: [(u) => setText(this.value, this.#readout(u.cursor.idx ?? null))] };
    const cursor = { y: false, points: { show: false }, drag: { x: false, y: false } };
    this.#plot = new uPlot({ width, height: HEIGHT, legend: { show: false }, cursor, hooks, ...this.#options }, this.#data, this.box);
  }

  /** New data; null if there is none yet. */
  set(data) {
    this.empty.hidden = data !== null;
    this.#data = data;
    if (data === null) {
      this.#plot?.destroy();
      this.#plot = null;
      setText(this.value, '\u00a0');
      return;
    }
    if (this.#plot === null) this.#make();
    else this.#plot.setData(data);
    setText(this.value, this.#readout(this.#plot?.cursor.idx ?? null));
    setAttribute(this.box, 'aria-label', this.#summary());
  }
}
