/** The status of an experiment. */
import { html } from "../core/html.js";

/**
 * The status of an experiment, with its cause where there is one.
 * @param {{one: Api.ExperimentView}} props
 */
export function StatusBadge({ one }) {
  const cause = one.cause && one.cause !== one.status ? one.cause.replaceAll("_", " ") : "";
  const word = one.cancel_requested && one.status === "running" ? "cancelling" : one.status;
  return html`<span class=${`badge ${one.status}`}>${word}</span>${
    cause &&
    html` <span class="small-text muted">
    ${cause}</span>`
  }`;
}
