/** The browser's own modal dialog: it keeps the focus, and Escape closes it. */
import { html, useEffect, useId, useRef, useState } from "../core/html.js";

/** @param {{title: string, onClose: () => void, children: any}} props */
export function Dialog({ title, onClose, children }) {
  const box = useRef(/** @type {any} */ (null));
  const id = useId();
  useEffect(() => {
    box.current.showModal();
  }, []);
  return html`<dialog ref=${box} aria-labelledby=${id} onClose=${onClose}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && onClose()}>
    <div class="stack"><h2 id=${id}>${title}</h2>${children}</div>
  </dialog>`;
}

/**
 * A dialog that asks before it acts, and shows the error where the action fails.
 * @param {{title: string, verb: string, act: () => Promise<any>, done: (answer: any) => void, onClose: () => void,
 *   children: any,
 *   isDisabled?: boolean}} props
 */
export function Confirm({ title, verb, act: perform, done, onClose, children, isDisabled = false }) {
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      done(await perform());
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${children}
    ${error && html`<p class="wrong" role="alert">${error.message}</p>`}
    <div class="actions">
      <button type="button" class="primary" disabled=${isBusy || isDisabled} onClick=${go}>
        ${isBusy ? "Working …" : verb}</button>
      <button type="button" onClick=${onClose}>Back</button></div>
  <//>`;
}
