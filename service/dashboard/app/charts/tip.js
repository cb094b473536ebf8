/** The bubble beside the pointer. */

const APART = 14;

/** @typedef {{color?: string, name: string, value: string}} Row */

/**
 * The content of the bubble as elements, because the page's policy refuses styles written into markup.
 * @param {string} title
 * @param {Row[]} rows
 */
export function tip(title, rows) {
  const head = document.createElement("strong");
  head.textContent = title;
  return [head, ...rows.map(tipRow)];
}

/** @param {Row} of */
function tipRow({ color, name, value }) {
  const row = document.createElement("div");
  const mark = document.createElement("span");
  mark.style.height = "3px";
  mark.style.background = color ?? "transparent";
  const label = Object.assign(document.createElement("span"), { textContent: name });
  const figure = Object.assign(document.createElement("span"), { textContent: value });
  row.append(mark, label, figure);
  return row;
}

/**
 * Fill the bubble with these elements, at the pointer and inside its box; without any, hide it.
 * @param {HTMLElement} bubble
 * @param {HTMLElement[]} elements
 * @param {{left: number, top: number}} of
 */
export function showTip(bubble, elements, { left, top }) {
  bubble.replaceChildren(...elements);
  bubble.hidden = elements.length === 0;
  if (bubble.hidden) return;
  const box = bubble.parentElement ?? bubble;
  const right = left + APART;
  const fits = right + bubble.offsetWidth <= box.clientWidth;
  bubble.style.left = `${Math.max(0, fits ? right : left - APART - bubble.offsetWidth)}px`;
  bubble.style.top = `${Math.max(0, Math.min(top + APART, box.clientHeight - bubble.offsetHeight))}px`;
}
