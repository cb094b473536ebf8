/** The filters of a list as chips, each with a button that takes it away. */
import { html } from "../core/html.js";

/** @typedef {{name: string, value: string, text: string}} Chip a filter of the address, in words */

/**
 * @param {{chips: Chip[], onRemove: (chip: Chip) => void, onClear: () => void, children?: any}} props
 */
export function Chips({ chips, onRemove, onClear, children }) {
  return html`<div class="chip-row">
    <ul class="chips plain" aria-label="Filters">${chips.map(
      (chip) => html`<li key=${`${chip.name}=${chip.value}`} class="chip on">${chip.text}
        <button type="button" class="small quiet icon" aria-label=${`Take the filter away: ${chip.text}`}
          onClick=${() => onRemove(chip)}>×</button></li>`,
    )}</ul>
    ${chips.length > 1 && html`<button type="button" class="small quiet" onClick=${onClear}>Take all away</button>`}
    ${children}
  </div>`;
}

/** @type {[string, string][]} */
const ARCHIVED = [
  ["", "Without archived ones"],
  ["any", "With archived ones"],
  ["true", "Archived ones only"],
];

/**
 * The choice whether a list shows what is archived.
 * @param {{value: string, onChange: (value: string) => void}} props
 */
export function ArchivedChoice({ value, onChange }) {
  return html`<select aria-label="Archived ones"
    onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => onChange(event.currentTarget.value)}>
    ${ARCHIVED.map(([name, text]) => html`<option value=${name} selected=${name === value}>${text}</option>`)}
  </select>`;
}

/**
 * The values of a name in a query without one of them.
 * @param {URLSearchParams} query
 * @param {Chip} chip
 */
export const without = (query, { name, value }) => query.getAll(name).filter((other) => other !== value);
