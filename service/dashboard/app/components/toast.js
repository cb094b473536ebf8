/** A notice of what an action did, over the foot of the page, with a button that undoes it. */
import { html, useEffect, useState } from "../core/html.js";

/**
 * @typedef {object} Notice
 * @property {string} text
 * @property {(() => Promise<unknown>)} [undo]
 */

/** @type {((notice: Notice | null) => void) | null} */
let show = null;

/**
 * Show a notice in place of the one before. It stays until it is closed, so that its button can be reached.
 * @param {string} text
 * @param {() => Promise<unknown>} [undo]
 */
export const toast = (text, undo) => show?.({ text, undo });

/** The place of the notices, once on every page. */
export function Toasts() {
  const [notice, setNotice] = useState(/** @type {Notice | null} */ (null));
  useEffect(() => {
    show = setNotice;
    return () => {
      show = null;
    };
  }, []);
  const undo = async () => {
    setNotice(null);
    try {
      await notice?.undo?.();
      setNotice({ text: "Undone." });
    } catch (error) {
      setNotice({ text: `It could not be undone. ${/** @type {Error} */ (error).message}` });
    }
  };
  return html`<div class="toasts" role="status">${
    notice &&
    html`<div class="toast"><span>${notice.text}</span>
      ${notice.undo && html`<button type="button" class="small" onClick=${undo}>Undo</button>`}
      <button type="button" class="small quiet" aria-label="Close this notice"
        onClick=${() => setNotice(null)}>×</button>
    </div>`
  }</div>`;
}
