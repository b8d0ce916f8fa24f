// Numbers, amounts, hashes and times as people read them.

const whole = new Intl.NumberFormat('en-US');
const fine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** A quantity of JSON-RPC as a number; null stays null. */
export const quantity = (hex) => (hex === null || hex === undefined ? null : Number(BigInt(hex)));

export const count = (n) => whole.format(n);

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** A number with at most three significant digits after rounding: 1.24 M, 38.2 k. */
export function compact(n) {
  if (n >= 1e6) return `${fine.format(n / 1e6)} M`;
  if (n >= 1e4) return `${fine.format(Math.round(n / 10) / 100)} k`;
  return fine.format(n);
}

/** An amount of wei, BigInt or hex, in a unit with `decimals`, without trailing zeros. */
export function units(wei, decimals) {
  const amount = BigInt(wei);
  const base = 10n ** BigInt(decimals);
  const rest = (amount % base).toString().padStart(decimals, '0').replace(/0+$/, '');
  const head = (amount / base).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return rest === '' ? head : `${head}.${rest}`;
}

export const ether = (wei) => `${units(wei, 18)} ETH`;

/** Few digits: for lists. */
export function etherShort(wei) {
  const text = units(wei, 18);
  const [head, rest] = text.split('.');
  if (rest === undefined || rest.length <= 4) return `${text} ETH`;
  if (head !== '0' || /[1-9]/.test(rest.slice(0, 4))) return `${head}.${rest.slice(0, 4)}… ETH`;
  return BigInt(wei) < 10n ** 9n ? `${units(wei, 0)} wei` : `${units(wei, 9).split('.')[0]} gwei`;
}

export const gwei = (wei) => `${units(wei, 9)} gwei`;

export const short = (hash) => `${hash.slice(0, 8)}…${hash.slice(-4)}`;

/** A length of time. */
export function seconds(s) {
  if (s === 0) return '0 s';
  if (s < 0.001) return '< 1 ms';
  if (s < 0.0995) return `${Math.round(s * 1000)} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export const ago = (s) => (s < 1 ? 'now' : `${s < 10 ? `${Math.floor(s)} s` : seconds(s)} ago`);

export const date = (ms) => new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');

const percentage = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 0 });
export const percent = (share) => percentage.format(share);

/** Bytes of a hex string. */
export const byteLength = (hex) => Math.max(0, Math.floor((hex.length - 2) / 2));

/** The readable part of bytes: null if there is hardly any. Control and direction characters become dots. */
export function readable(hex) {
  const pairs = hex.slice(2, 2 + 8192).match(/../g) ?? [];
  const bytes = Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
  const text = new TextDecoder().decode(bytes).replace(/[\p{C}\uFFFD\u2028\u2029]+/gu, '·').replace(/^·+|·+$/g, '');
  return /[\p{L}\p{N}\p{P}\p{S} ]{4,}/u.test(text) ? text : null;
}
