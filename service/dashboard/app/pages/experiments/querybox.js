/** A condition in the query language, beside the other filters. */
import { onText } from "../../core/events.js";
import { html, useEffect, useState } from "../../core/html.js";
import { Field } from "../../components/field.js";

const EXAMPLE = "test_accuracy > 0.95 AND activation IN ('relu', 'swish') AND NOT tag = 'draft'";

const HINT = html`such as ${EXAMPLE}: <a href="/guide/query/">all its words</a>`;

/**
 * @param {{value: string, error: import("../../data/api.js").ApiError | null, onChange: (query: string) => void}} props
 *   `error`: the answer to the list, which names what is wrong with the query
 */
export function QueryBox({ value, error, onChange }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const errors = (error?.errors ?? []).filter(({ parameter }) => parameter === "query");
  return html`<form class="query-box" role="search" aria-label="Query" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    onChange(text.trim());
  }}>
    <${Field} label="Query" errors=${errors} hint=${HINT}>
      ${(/** @type {object} */ attributes) =>
        html`<div class="with-button"><input ...${attributes} class="mono" value=${text} autocomplete="off"
          spellcheck=${false} autocapitalize="off" enterkeyhint="search" onInput=${onText(setText)} />
          <button type="submit" disabled=${text.trim() === value}>Apply</button></div>`}
    <//>
  </form>`;
}
