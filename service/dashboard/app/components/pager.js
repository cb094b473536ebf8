/** Buttons to the next page of a list, by cursor; the browser's own "back" goes back. */
import { html } from "../core/html.js";

/**
 * @param {{data?: {next_cursor: string|null}, isFirst: boolean, onChange: (cursor: string) => void,
 *   words?: string[]}} props `words`: on the buttons to the first page and to the next
 */
export function Pager({ data, isFirst, onChange, words = ["Newest", "Older"] }) {
  const next = data?.next_cursor;
  if (isFirst && !next) return null;
  return html`<nav class="pager" aria-label="Pages of the list">
    ${!isFirst && html`<button type="button" onClick=${() => onChange("")}>${words[0]}</button>`}
    ${next && html`<button type="button" onClick=${() => onChange(next)}>${words[1]}</button>`}
  </nav>`;
}
