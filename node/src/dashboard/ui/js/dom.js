// Elements from data. Data becomes text nodes and attributes, never markup: what the chain says is hostile.

/** Attributes that data may set; a handler or a style is not one. */
const ATTRIBUTES = new Set([
  'class', 'id', 'href', 'title', 'role', 'type', 'scope', 'tabindex', 'hidden', 'for', 'lang', 'datetime', 'value', 'colspan',
]);

/** An element. `props`: attributes, `data-…`, `aria-…`, `on` (event → handler), `vars` (CSS custom properties). */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    } else if (name === 'vars') {
      for (const [variable, amount] of Object.entries(value)) node.style.setProperty(variable, String(amount));
    } else if (ATTRIBUTES.has(name) || name.startsWith('data-') || name.startsWith('aria-')) {
      node.setAttribute(name, value === true ? '' : String(value));
    } else {
      throw new Error(`attribute ${name}`);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Sets a text, if it is another: what stays the same is not touched. */
export function setText(node, value) {
  const text = String(value);
  if (node.textContent !== text) node.textContent = text;
}

/** Sets or removes an attribute, if it is another. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

export const byId = (id) => document.getElementById(id);
