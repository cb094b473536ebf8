/** A length on a scale that rows share, with an open end where only its minimum is known. */
import { html } from "../core/html.js";

/**
 * @param {{value: number|null, most: number, color: string}} props the figure stands beside it, so that it is not read
 *   out
 */
export function Span({ value, most, color }) {
  const end = value === null ? 100 : most > 0 ? (100 * value) / most : 0;
  return html`<svg class="span" aria-hidden="true">
    ${
      value === null
        ? html`<line x1="0" x2="100%" y1="50%" y2="50%" stroke=${color} stroke-width="2" stroke-dasharray="3 4"
          opacity="0.6" />`
        : html`<rect x="0" y="25%" width=${`${end.toFixed(2)}%`} height="50%" rx="2" fill=${color} opacity="0.6" />`
    }
  </svg>`;
}
