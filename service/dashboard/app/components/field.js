/** A labelled input with its hint and its errors. */
import { html, useId } from "../core/html.js";

/**
 * @param {{label: string, hint?: any, errors?: {detail: string}[], children: (attributes: object) => any}} props
 *   `children` is given id and aria attributes for the input.
 */
export function Field({ label, hint, errors = [], children }) {
  const id = useId();
  const attributes = { id, "aria-describedby": `${id}-say`, "aria-invalid": errors.length ? "true" : undefined };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children(attributes)}
    <div id=${`${id}-say`} class="say"><${Says} errors=${errors} hint=${hint} /></div>
  </div>`;
}

/**
 * The errors where there are any, else the hint.
 * @param {{errors: {detail: string}[], hint: any}} props
 */
export function Says({ errors, hint }) {
  const details = [...new Set(errors.map(({ detail }) => detail))];
  if (details.length) return details.map((detail) => html`<p class="wrong" role="alert">${detail}</p>`);
  return hint ? html`<p class="hint">${hint}</p>` : null;
}
