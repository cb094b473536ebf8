/** A choice of one among few, as joined buttons. */
import { html } from "../core/html.js";

/**
 * @param {{label: string, value: string, choices: [string, string][], disabled?: string[], onChange: (value: string) =>
 *   void}} props
 */
export function Segments({ label, value, choices, disabled = [], onChange }) {
  return html`<div class="seg" role="group" aria-label=${label}>${choices.map(
    ([name, text]) =>
      html`<button type="button" aria-pressed=${value === name} disabled=${disabled.includes(name)}
        onClick=${() => onChange(name)}>${text}</button>`,
  )}</div>`;
}
