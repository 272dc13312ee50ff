// The only place that makes nodes. Text goes in as text nodes, never as markup, so data cannot become script.

const SVG = 'http://www.w3.org/2000/svg';

/** el('button', { class: 'primary', onclick: save, disabled: false }, 'Save', [node, null]) -> HTMLElement */
export function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG elements. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Replaces all that `node` holds. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(shown));
  return node;
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter(shown));
  return node;
}

function shown(child) {
  return child !== null && child !== undefined && child !== false;
}
