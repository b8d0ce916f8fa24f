// JSON-RPC over one WebSocket that comes back by itself.

const TIMEOUT_MS = 15_000;
const PING_MS = 10_000;
const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 5_000;

/** An error that the node answered with. */
export class RpcError extends Error {
  constructor({ code, message, data }) {
    super(String(message));
    this.code = code;
    this.data = data;
  }
}

/** Events: `state` (detail: connecting, open, closed), `notification` (detail: params). */
export class Rpc extends EventTarget {
  #url;
  #socket = null;
  #pending = new Map();
  #next = 1;
  #retry = FIRST_RETRY_MS;
  #timer = null;

  constructor(url) {
    super();
    this.#url = url;
    // A phone that wakes up, a network that is back: no need to wait.
    const now = () => {
      if (this.#timer !== null && document.visibilityState === 'visible') this.#open();
    };
    window.addEventListener('online', now);
    document.addEventListener('visibilitychange', now);
    setInterval(() => this.#ping(), PING_MS);
  }

  start() {
    this.#open();
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#emit('state', 'connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#retry = FIRST_RETRY_MS;
      this.#emit('state', 'open');
    });
    socket.addEventListener('message', (event) => this.#receive(event.data));
    socket.addEventListener('close', () => this.#lost(socket));
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new Error('the connection is lost'));
    }
    this.#pending.clear();
    this.#emit('state', 'closed');
    this.#timer = setTimeout(() => this.#open(), this.#retry * (0.75 + Math.random() / 2));
    this.#retry = Math.min(this.#retry * 1.6, LAST_RETRY_MS);
  }

  #receive(data) {
    const message = JSON.parse(data);
    if (message.id === undefined || message.id === null) {
      if (message.params) this.#emit('notification', message.params);
      return;
    }
    const request = this.#pending.get(message.id);
    if (request === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(request.timer);
    if (message.error) request.reject(new RpcError(message.error));
    else request.resolve(message.result);
  }

  /** A connection that looks open and is not. */
  #ping() {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    this.call('net_version', []).catch(() => {
      socket.close();
      this.#lost(socket);
    });
  }

  /** The result of a method. Rejects with an RpcError, or an Error if there is no answer. */
  call(method, params) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error('the node is not connected'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${method}: no answer`));
      }, TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }
}
