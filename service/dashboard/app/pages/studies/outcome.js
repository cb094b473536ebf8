/** The outcome of a study in a table: what its comparison says, and the highest mean. */
import { html } from "../../core/html.js";
import { figure, range } from "../../text/format.js";
import { groupLabel } from "../../text/labels.js";

/**
 * The first sentence of the comparison's summary, as on the study's page and in its report. The highest mean beside it
 * is no verdict.
 * @param {{comparison: Api.Comparison}} props
 */
export function Outcome({ comparison: { groups, family, summary } }) {
  const [first] = groups;
  if (!first || first.mean === null) return html`<span class="muted">no result yet</span>`;
  const interval = first.interval ? ` (${range(first.interval, family.unit)})` : "";
  return html`<div class="outcome">${summary[0]}
    <div class="small-text muted">highest mean: ${groupLabel(first.factors)},${" "}
    ${figure(first.mean, family.unit)}${interval}, n = ${first.n}</div></div>`;
}
