/** The colour and symbol of an activation, as in the charts' lines. */
import { html } from "../html.js";
import { groupLabel } from "../labels.js";
import { activationStyle, useColours } from "../palette.js";

const SHAPES = {
  circle: (fill) => html`<circle cx="14" cy="6" r="3.4" fill=${fill} />`,
  rect: (fill) => html`<rect x="10.8" y="2.8" width="6.4" height="6.4" fill=${fill} />`,
  triangle: (fill) => html`<path d="M14 1.8 18 9.4H10z" fill=${fill} />`,
  diamond: (fill) => html`<path d="M14 1.4 18.4 6 14 10.6 9.6 6z" fill=${fill} />`,
};

/** @param {{style: {color: string, symbol: string, dash?: number[]}}} props */
export function Swatch({ style }) {
  return html`<svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">
    <path d="M0 6H28" stroke=${style.color} stroke-width="2" stroke-dasharray=${style.dash?.join(" ")} />
    ${SHAPES[style.symbol](style.color)}
  </svg>`;
}

/** An activation by name, with its swatch; a link where the catalogue has it. */
export function ActivationName({ label, link = false }) {
  const { dark } = useColours();
  const name = link ? html`<a href=${`/activations/${label}`}>${label}</a>` : label;
  return html`<span class="named"><${Swatch} style=${activationStyle(label, dark)} /><span>${name}</span></span>`;
}

/** A group of a comparison: its activation's swatch where activation is a factor, and all its factors in words. */
export function GroupName({ factors }) {
  const { dark } = useColours();
  const mark = factors.activation === undefined ? null : html`<${Swatch} style=${activationStyle(factors.activation, dark)} />`;
  return html`<span class="named">${mark}<span>${groupLabel(factors)}</span></span>`;
}
