/** A table of experiments. */
import { html } from "../core/html.js";
import { ago, duration, percent } from "../text/format.js";
import { specText } from "../text/spec.js";
import { useNow } from "./notices.js";
import { ActivationName } from "./swatch.js";

/** @param {{items: any[], caption: string}} props */
export function ExperimentTable({ items, caption }) {
  const now = useNow(10_000);
  return html`<div class="scroll"><table class="cards">
    <caption class="visually-hidden">${caption}</caption>
    <thead><tr><th scope="col">Experiment</th><th scope="col" class="number">Seed</th><th scope="col">Status</th>
      <th scope="col" class="number">Epochs</th>
      <th scope="col" class="number">Validation</th>
      <th scope="col" class="number">Test accuracy</th><th scope="col" class="number">Training</th>
        <th scope="col">Created</th></tr></thead>
    <tbody>${items.map((one) => html`<${Row} key=${one.id} one=${one} now=${now} />`)}</tbody>
  </table></div>`;
}

/** @param {{one: Api.ExperimentView, now: number}} props */
function Row({ one, now }) {
  return html`<tr>
    <th scope="row"><a href=${`/experiments/${one.id}`}>
      ${one.name ?? html`<${ActivationName} label=${one.activation_label} />`}</a>
      <div class="small-text muted">${one.name ? `${one.activation_label}, ` : ""}${specText(one.spec)}</div></th>
    <td data-label="Seed" class="number">${one.spec.seed}</td>
    <td data-label="Status"><${StatusBadge} one=${one} /></td>
    <td data-label="Epochs" class="number">${one.epochs_done} / ${one.spec.epochs}</td>
    <td data-label="Validation accuracy" class="number">${percent(one.validation_accuracy)}</td>
    <td data-label="Test accuracy" class="number">${percent(one.test_accuracy)}</td>
    <td data-label="Training" class="number">${duration(one.seconds)}</td>
    <td data-label="Created" class="muted">${ago(one.created_at, now)}</td>
  </tr>`;
}

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
