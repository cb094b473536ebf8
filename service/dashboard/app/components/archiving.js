/** Archiving, restoring and deleting one experiment or study, on its page. */
import { html, useState } from "../core/html.js";
import { navigate } from "../core/navigation.js";
import { del, patch } from "../data/api.js";
import { refresh } from "../data/store.js";
import { ago } from "../text/format.js";
import { useMayChange } from "./access.js";
import { Confirm } from "./dialog.js";
import { useNow } from "./notices.js";
import { toast } from "./toast.js";

/**
 * @typedef {object} Kept
 * @property {{id: string, archived_at: string | null}} one
 * @property {"/experiments" | "/studies"} list
 * @property {string} noun
 */

/**
 * @param {Kept} of
 * @param {boolean} archived
 */
async function send({ one, list }, archived) {
  await patch(`${list}/${one.id}`, { archived }, undefined);
  refresh("/");
}

/**
 * Archive or restore it, and offer to undo that.
 * @param {Kept} kept
 * @param {boolean} archived
 */
async function setArchived(kept, archived) {
  try {
    await send(kept, archived);
    const text = archived ? `The ${kept.noun} is archived: lists leave it out.` : `Lists show the ${kept.noun} again.`;
    toast(text, () => send(kept, !archived));
  } catch (error) {
    toast(/** @type {Error} */ (error).message);
  }
}

/**
 * Buttons of what has ended.
 * @param {Kept & {loses: string}} props `loses`: what goes with it when it is deleted
 */
export function ArchiveActions({ one, list, noun, loses }) {
  const [isAsked, setAsked] = useState(false);
  const mayChange = useMayChange();
  if (!mayChange) return null;
  const done = () => {
    refresh(list);
    navigate(list);
    toast(`The ${noun} is deleted.`);
  };
  return html`${
    one.archived_at === null &&
    html`<button type="button" onClick=${() => setArchived({ one, list, noun }, true)}>Archive</button>`
  }
    <button type="button" onClick=${() => setAsked(true)}>Delete</button>
    ${
      isAsked &&
      html`<${Confirm} title=${`Delete this ${noun}?`} verb=${`Delete the ${noun}`} onClose=${() => setAsked(false)}
      act=${() => del(`${list}/${one.id}`)} done=${done}>
      <p>It goes for good, with ${loses}. To keep it out of lists only, archive it.</p><//>`
    }`;
}

/**
 * The state of what is archived, with the button that restores it.
 * @param {Kept} props
 */
export function ArchivedNotice({ one, list, noun }) {
  const now = useNow(10_000);
  const mayChange = useMayChange();
  if (one.archived_at === null) return null;
  return html`<div class="notice with-action"><span><strong>Archived</strong> ${ago(one.archived_at, now)}. Lists leave
      it out; comparisons and exports still count it.</span>
    ${
      mayChange && html`<button type="button" onClick=${() => setArchived({ one, list, noun }, false)}>Restore</button>`
    }</div>`;
}
