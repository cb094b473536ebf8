/** The head of a table with a column for each run. */
import { html } from "../../core/html.js";
import { Swatch } from "../../components/swatch.js";

/** @param {{runs: import("./runs.js").Run[], first: string, isNumeric?: boolean}} props */
export function RunHeads({ runs, first, isNumeric = false }) {
  return html`<thead><tr><th scope="col">${first}</th>${runs.map(
    ({ one, label, style }) => html`<th scope="col" key=${one.id} class=${isNumeric ? "number" : ""}>
      <span class="run-head"><${Swatch} style=${style} /><span>${label}</span></span></th>`,
  )}</tr></thead>`;
}
