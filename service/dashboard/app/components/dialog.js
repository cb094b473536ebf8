/** The browser's own modal dialog: it keeps the focus, and Escape closes it. */
import { html, useEffect, useId, useRef } from "../html.js";

export function Dialog({ title, onClose, children }) {
  const box = useRef(null);
  const id = useId();
  useEffect(() => {
    box.current.showModal();
  }, []);
  return html`<dialog ref=${box} aria-labelledby=${id} onClose=${onClose} onClick=${(event) => event.target === box.current && onClose()}>
    <div class="stack"><h2 id=${id}>${title}</h2>${children}</div>
  </dialog>`;
}
