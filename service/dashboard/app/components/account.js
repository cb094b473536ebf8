/** Who is signed in: the name of the key with a button to sign out, or the dialog that asks for a key. */
import { onText } from "../core/events.js";
import { html, useEffect, useState } from "../core/html.js";
import { whole } from "../core/root.js";
import { del, onUnauthorized, post } from "../data/api.js";
import { useFeed } from "../data/store.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";

const AFTERWARDS = ["/docs", "/redoc"]; // pages that send here, with ?next=

/** Nothing while there are no keys. */
export function Account() {
  const { data } = useFeed("/me");
  const [isAsked, setAsked] = useState(false);
  const [isOut, setOut] = useState(false);
  useEffect(
    () =>
      onUnauthorized(() => {
        setOut(true);
        setAsked(true);
      }),
    [],
  );
  if (isOut)
    return html`<button type="button" class="small" onClick=${() => setAsked(true)}>Sign in</button>
      ${isAsked && html`<${SignIn} onClose=${() => setAsked(false)} />`}`;
  if (!data || data.open) return null;
  return html`<span class="account" title=${`Key ${data.id}, ${data.role}`}>${data.name}</span>
    <button type="button" class="small" onClick=${signOut}>Sign out</button>`;
}

async function signOut() {
  await del("/session");
  location.reload();
}

/** @param {{onClose: () => void}} props */
function SignIn({ onClose }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState(/** @type {import("../data/api.js").ApiError | null} */ (null));
  /** @param {Event} event */
  const signIn = async (event) => {
    event.preventDefault();
    try {
      await post("/session", { key: key.trim() });
    } catch (failure) {
      setError(/** @type {any} */ (failure));
      return;
    }
    const next = new URLSearchParams(location.search).get("next") ?? "";
    if (AFTERWARDS.includes(next)) location.assign(whole(next));
    else location.reload(); // all that was refused is asked for again
  };
  return html`<${Dialog} title="Sign in" onClose=${onClose}>
    <form class="stack" onSubmit=${signIn}>
      ${/* Managers of passwords keep a key under a name. */ ""}
      <input type="text" name="username" autocomplete="username" value="ActLab" readonly hidden />
      <${Field} label="API key" errors=${error ? [{ detail: error.message }] : []}
        hint="An administrator makes one with actlab keys create. The browser keeps it until you sign out.">
        ${(/** @type {object} */ attributes) =>
          html`<input ...${attributes} type="password" required autocomplete="current-password" value=${key}
            onInput=${onText(setKey)} />`}
      <//>
      <div class="actions"><button type="submit" class="primary">Sign in</button></div>
    </form>
  <//>`;
}
