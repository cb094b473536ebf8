/** The colour and symbol of an activation, as in the charts' lines. */
import { html } from "../core/html.js";
import { groupLabel } from "../text/labels.js";
import { activationStyle, useColours } from "../charts/palette.js";
import { SYMBOLS } from "../charts/symbols.js";

/** @param {{style: {color: string, symbol: string, dash?: number[]}}} props */
export function Swatch({ style }) {
  return html`<svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">
    <path d="M0 6H28" stroke=${style.color} stroke-width="2" stroke-dasharray=${style.dash?.join(" ")} />
    <path d=${SYMBOLS[style.symbol]} transform="translate(14 6)" fill=${style.color} />
  </svg>`;
}

/**
 * An activation by name, with its swatch; a link where the catalogue has it.
 * @param {{label: string, link?: boolean}} props
 */
export function ActivationName({ label, link = false }) {
  const { dark } = useColours();
  const name = link ? html`<a href=${`/activations/${label}`}>${label}</a>` : label;
  return html`<span class="named"><${Swatch} style=${activationStyle(label, dark)} /><span>${name}</span></span>`;
}

/**
 * A group of a comparison: its activation's swatch where activation is a factor, and all its factors in words.
 * @param {{factors: Factors}} props
 */
export function GroupName({ factors }) {
  const { dark } = useColours();
  const mark =
    factors.activation === undefined ? null : html`<${Swatch} style=${activationStyle(factors.activation, dark)} />`;
  return html`<span class="named">${mark}<span>${groupLabel(factors)}</span></span>`;
}
