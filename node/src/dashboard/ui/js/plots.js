// The four plots.

/* global uPlot */

import { byId, setText } from './dom.js';
import { compact, count, percent, seconds } from './format.js';
import { axis, colour, Plot } from './plot.js';
import { COUNTERS, machines, share } from './tile.js';

/** Batches of a plot: as many as stay readable. */
const SHOWN = 30;
const GROUPS = 10;
/** A transaction rate is over this many samples. */
const WINDOW = 5;

const bars = (size, most) => uPlot.paths.bars({ size: [size, most], radius: 0.15 });
const filled = (name) => ({ stroke: () => colour(name), fill: () => colour(name), width: 0, points: { show: false } });
const wholeNumbers = (u, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : ''));
const aboveZero = (u, least, most) => [0, most > 0 ? most * 1.12 : 1];
/** Room for half a bar at both ends. */
const around = (u, least, most) => [least - 0.6, most + 0.6];
const batchAxis = () => axis({ values: wholeNumbers, incrs: [1, 2, 5, 10, 20, 50, 100, 1000, 10000], space: 40, size: 30 });
const valueAxis = (values, size = 52) => axis({ values: (u, ticks) => ticks.map(values), size, space: 34 });
const byNumber = { x: { time: false, range: around }, y: { range: aboveZero } };

/** The last `most` batches for which `keep` holds, oldest first. */
const last = (store, most, keep) => store.batches.filter(keep).slice(0, most).reverse();

function proofTime(store) {
  let shown = [];
  const plot = new Plot({
    title: 'Proof time', unit: 'by batch', empty: 'No proof yet: the first comes with the first batch.',
    keys: [['accent', 'from the witness to the verified proof']],
    options: {
      scales: byNumber,
      axes: [batchAxis(), valueAxis(seconds)],
      series: [{}, { ...filled('accent'), paths: bars(0.7, 28) }],
    },
    readout: (i) => {
      const batch = shown[i ?? shown.length - 1];
      return batch ? `#${count(batch.number)}  ${seconds(batch.proof.seconds)}` : '';
    },
    summary: () => `Proof time of ${shown.length} batches; the newest took ${seconds(shown.at(-1).proof.seconds)}.`,
  });
  store.addEventListener('batches', () => {
    setText(plot.unit, store.status?.proofMode === 'mock' ? 'MOCK: nothing is proven' : 'by batch');
    shown = last(store, SHOWN, (batch) => typeof batch.proof?.seconds === 'number');
    plot.set(shown.length > 0 ? [shown.map((b) => b.number), shown.map((b) => b.proof.seconds)] : null);
  });
  return plot;
}

/** Each counter has its place in the group of its batch. */
function counters(store) {
  const STEP = 0.14;
  let shown = [];
  const at = (k) => (k - (COUNTERS.length - 1) / 2) * STEP;
  const of = (batch) => COUNTERS.map(({ key }) => share(batch, store.status.capacity, key));
  const names = (batch) => machines(store.status.capacity).map(({ key, name }) => `${name} ${percent(share(batch, store.status.capacity, key))}`);
  const plot = new Plot({
    title: 'Counters used', unit: 'share of capacity, by batch', empty: 'No batch is sealed yet.',
    keys: COUNTERS.map(({ name, colour: key }) => [key, name]),
    options: {
      scales: { x: { time: false, range: around }, y: { range: [0, 1.02] } },
      axes: [batchAxis(), valueAxis(percent)],
      series: [{}, ...COUNTERS.map(({ colour: key }) => ({ ...filled(key), paths: bars(0.86, 12) }))],
    },
    readout: (i) => {
      const batch = shown[i === null ? shown.length - 1 : Math.floor(i / COUNTERS.length)];
      if (!batch) return '';
      const most = of(batch).reduce((best, part, k) => (part > best[0] ? [part, COUNTERS[k].name] : best), [0, '']);
      return `#${count(batch.number)}  ${percent(most[0])} of ${most[1]}`;
    },
    summary: () => {
      const batch = shown.at(-1);
      return `Counters of ${shown.length} batches; batch ${batch.number}: ${names(batch).join(', ')}.`;
    },
  });
  store.addEventListener('batches', () => {
    if (store.status === null) return;
    COUNTERS.forEach(({ key }, k) => { plot.keys[k].hidden = store.status.capacity[key] === 0; });
    shown = last(store, GROUPS, () => true);
    const x = shown.flatMap(({ number }) => COUNTERS.map((_, k) => number + at(k)));
    const y = COUNTERS.map((_, k) => shown.flatMap((batch) => of(batch).map((part, j) => (j === k ? part : null))));
    plot.set(shown.length > 0 ? [x, ...y] : null);
  });
  return plot;
}

/** Gas of an L1 transaction for each L2 transaction in its batches. */
const gasEach = (tx) => tx.gasUsed / tx.transactions;

function l1Gas(store) {
  let shown = [];
  const parts = (batch) => [gasEach(batch.sequence), gasEach(batch.verification)];
  const plot = new Plot({
    title: 'L1 gas', unit: 'per transaction, by batch', empty: 'No batch is proven on L1 yet.',
    keys: [['virtual', 'data'], ['consolidated', 'proof']],
    options: {
      scales: byNumber,
      axes: [batchAxis(), valueAxis(compact)],
      // The sum first: the part in front of it leaves the other to be seen.
      series: [{}, { ...filled('consolidated'), paths: bars(0.7, 28) }, { ...filled('virtual'), paths: bars(0.7, 28) }],
    },
    readout: (i) => {
      const batch = shown[i ?? shown.length - 1];
      return batch ? `#${count(batch.number)}  ${compact(Math.round(parts(batch)[0] + parts(batch)[1]))} gas` : '';
    },
    summary: () => {
      const [data, proof] = parts(shown.at(-1)).map((gas) => count(Math.round(gas)));
      return `L1 gas per transaction of ${shown.length} batches; the newest: data ${data}, proof ${proof}.`;
    },
  });
  store.addEventListener('batches', () => {
    const known = (tx) => typeof tx?.gasUsed === 'number';
    shown = last(store, SHOWN, (batch) => known(batch.sequence) && known(batch.verification));
    const sums = shown.map((batch) => parts(batch)[0] + parts(batch)[1]);
    plot.set(shown.length > 0 ? [shown.map((b) => b.number), sums, shown.map((b) => parts(b)[0])] : null);
  });
  return plot;
}

/** Transactions per second before a sample. */
function rate(samples, i) {
  const from = samples[Math.max(0, i - WINDOW)];
  const time = (samples[i].timeMs - from.timeMs) / 1000;
  return time > 0 ? Math.max(0, (samples[i].transactions - from.transactions) / time) : 0;
}

function load(store) {
  let data = null;
  const plot = new Plot({
    title: 'Throughput and pool', unit: 'last ten minutes', empty: 'Measuring…',
    keys: [['trusted', 'transactions per second'], ['muted', 'in the pool']],
    options: {
      scales: { x: { time: true }, y: { range: aboveZero }, pool: { range: aboveZero } },
      axes: [
        axis({ size: 30, space: 70, values: (u, ticks) => ticks.map((t) => new Date(t * 1000).toLocaleTimeString('en-GB')) }),
        valueAxis(compact),
        { ...valueAxis(compact), scale: 'pool', side: 1, grid: { show: false } },
      ],
      series: [
        {},
        { stroke: () => colour('trusted'), fill: () => colour('trusted-soft'), width: 1.5, points: { show: false } },
        { scale: 'pool', stroke: () => colour('muted'), width: 1, points: { show: false } },
      ],
    },
    readout: (i) => {
      if (data === null) return '';
      const at = i ?? data[0].length - 1;
      return `${compact(data[1][at])} tx/s  ${count(data[2][at])} pooled`;
    },
    summary: () => `${compact(data[1].at(-1))} transactions per second, ${count(data[2].at(-1))} in the pool.`,
  });
  store.addEventListener('samples', () => {
    const { samples } = store;
    data = samples.length < 2 ? null : [
      samples.map((s) => s.timeMs / 1000), samples.map((_, i) => rate(samples, i)), samples.map((s) => s.pending + s.queued),
    ];
    plot.set(data);
  });
  return plot;
}

export function plots(store) {
  byId('plots').append(...[proofTime, counters, l1Gas, load].map((make) => make(store).node));
}
