/** The dialog that makes, lists and revokes the links to a study's report. */
import { onText } from "../../core/events.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { del, post } from "../../data/api.js";
import { refresh, useFeed } from "../../data/store.js";
import { ago, clock, count, NONE } from "../../text/format.js";
import { Copy } from "../../components/asrequest.js";
import { Confirm, Dialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { Loaded, useNow } from "../../components/notices.js";

const VIEWS_MS = 5000; // between two looks at the counts of views
const USUAL = "30d";
/** @type {[string, string][]} */
const LIFETIMES = [
  ["1d", "a day"],
  ["1w", "a week"],
  [USUAL, "30 days"],
  ["52w", "a year"],
  ["", "no end"],
];

/** @param {{study: Api.StudyView, onClose: () => void}} props */
export function Share({ study, onClose }) {
  const path = `/studies/${study.id}/shares`;
  const feed = useFeed(path, VIEWS_MS);
  return html`<${Dialog} title="Share this study" onClose=${onClose}>
    <p>Whoever has a link reads the study’s report without a key, and reaches nothing else with it.</p>
    <${NewLink} path=${path} />
    <${Loaded} feed=${feed} what="the links">${(/** @type {Api.SharesView} */ { items }) =>
      items.length > 0 && html`<${Links} path=${path} links=${items} />`}<//>
    <div class="actions"><button type="button" onClick=${onClose}>Close</button></div>
  <//>`;
}

/** @param {{path: string}} props */
function NewLink({ path }) {
  const [expires, setExpires] = useState(USUAL);
  const [made, setMade] = useState(/** @type {Api.NewShareView | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  /** @param {Event} event */
  const make = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      setMade(await post(path, { expires: expires || null }));
      setError(null);
      refresh(path);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return html`<form class="stack" onSubmit=${make}>
    <${Field} label="Lifetime" errors=${error ? [{ detail: error.message }] : []}>
      ${(/** @type {object} */ attributes) =>
        html`<select ...${attributes} value=${expires} onChange=${onText(setExpires)}>
          ${LIFETIMES.map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select>`}
    <//>
    <div class="actions"><button type="submit" class="primary" disabled=${isBusy}>Make a link</button></div>
    ${made && html`<${Made} key=${made.id} url=${location.origin + made.url} />`}
  </form>`;
}

/**
 * The address of a link, which is marked, so that it can be copied by keyboard too.
 * @param {{url: string}} props
 */
function Made({ url }) {
  const input = useRef(/** @type {any} */ (null));
  useEffect(() => {
    input.current.focus();
    input.current.select();
  }, []);
  return html`<${Field} label="The link" hint="It is shown this once: copy it now.">
    ${(/** @type {object} */ attributes) =>
      html`<div class="with-button"><input ...${attributes} ref=${input} readonly value=${url} />
        <${Copy} text=${url} label="Copy link" /></div>`}
  <//>`;
}

/** @param {{path: string, links: Api.ShareView[]}} props */
function Links({ path, links }) {
  const now = useNow(10_000);
  const heading = useRef(/** @type {any} */ (null));
  const [revoked, setRevoked] = useState("");
  const isGone = useRef(false); // the button that had the focus
  const done = () => {
    isGone.current = true;
    refresh(path);
  };
  useEffect(() => {
    if (!revoked && isGone.current) heading.current.focus();
    isGone.current = false;
  }, [revoked]);
  return html`<section class="shares">
    <h3 ref=${heading} tabindex="-1">Links of this study</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Links of this study"><table>
      <thead><tr><th scope="col">Made</th><th scope="col">Ends</th><th scope="col" class="number">Views</th>
        <th scope="col"><span class="visually-hidden">Action</span></th></tr></thead>
      <tbody>${links.map((link) => {
        const end = ended(link, now);
        return html`<tr key=${link.id} class=${end ? "muted" : ""}><td>${ago(link.created_at, now)}</td>
          <td>${end || (link.expires_at ? clock(link.expires_at) : "no end")}</td>
          <td class="number" title=${`last opened: ${link.last_viewed_at ? ago(link.last_viewed_at, now) : NONE}`}>
            ${count(link.views)}</td>
          <td class="number">${
            !end &&
            html`<button type="button" class="small" onClick=${() => setRevoked(link.id)}
              aria-label=${`Revoke the link made ${clock(link.created_at)}`}>Revoke</button>`
          }</td></tr>`;
      })}</tbody></table></div>
    ${
      revoked &&
      html`<${Confirm} title="Revoke this link?" verb="Revoke" onClose=${() => setRevoked("")}
      act=${() => del(`${path}/${revoked}`)} done=${done}><p>It opens nothing any more, for nobody.</p><//>`
    }
  </section>`;
}

/**
 * The reason why a link has ended; "" while it opens the page.
 * @param {Api.ShareView} link
 * @param {number} now
 */
function ended({ revoked_at, expires_at }, now) {
  if (revoked_at) return "revoked";
  return expires_at && Date.parse(expires_at) <= now ? "expired" : "";
}
