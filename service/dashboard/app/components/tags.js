/** Tags, as links to the list of what has them. */
import { html } from "../core/html.js";

/** @param {{tags: string[], list: "/experiments" | "/studies"}} props */
export function Tags({ tags, list }) {
  if (tags.length === 0) return null;
  return html`<span class="tags">${tags.map(
    (tag) => html`<a class="tag" href=${`${list}?tag=${encodeURIComponent(tag)}`}>${tag}</a>`,
  )}</span>`;
}
