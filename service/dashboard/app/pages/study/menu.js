/** Links that fold out under a button; Escape or a loss of focus folds them away. */
import { html, useRef } from "../../core/html.js";

/**
 * @param {{label: string, groups: {title: string, links: {href: string, text: string, download?: boolean}[]}[]}} props
 */
export function Menu({ label, groups }) {
  const box = useRef(/** @type {any} */ (null));
  const close = () => (box.current.open = false);
  /** @param {any} event */
  const leave = (event) => !box.current.contains(event.relatedTarget) && close();
  return html`<details class="menu" ref=${box} onFocusOut=${leave}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close()}>
    <summary class="button">${label}</summary>
    <div>${groups.map(
      ({ title, links }) => html`<p class="small-text muted">${title}</p>
      <ul>${links.map(
        ({ href, text, download }) => html`<li>
        <a href=${href} download=${download} target=${download ? undefined : "_blank"} rel="noopener" onClick=${close}>
          ${text}</a></li>`,
      )}</ul>`,
    )}</div>
  </details>`;
}
