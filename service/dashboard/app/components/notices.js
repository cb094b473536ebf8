/** Notices in place of content: it loads, it failed, it is empty, it is not current. */
import { html, useEffect, useState } from "../core/html.js";
import { refresh, useStaleness } from "../data/store.js";
import { clock } from "../text/format.js";

/**
 * A notice that appears only when waiting is noticeable, so that a fast answer does not flicker.
 * @param {{what?: string}} props
 */
export function Loading({ what = "" }) {
  return html`<p class="loading" role="status">Loading${what && ` ${what}`} …</p>`;
}

/**
 * A notice in place of what could not be loaded yet, and is asked for again.
 * @param {{what: string, error: import("../data/api.js").ApiError}} props
 */
export function NotYet({ what, error }) {
  return html`<p class="loading" role="status">Not loaded yet: ${what}. ${error.message} It is asked for again.</p>`;
}

/** @type {Record<number, string>} */
const FAILURES = { 401: "You are not signed in", 404: "Not found" };

/** @param {{error: import("../data/api.js").ApiError}} props */
export function Failure({ error }) {
  return html`<div class="notice bad" role="alert">
    <strong>${FAILURES[error.status] ?? "That did not work"}</strong>
    <p>${error.message}</p>
  </div>`;
}

/** @param {{title: string, children: any}} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

/**
 * The data of a feed, or why there is none. `children` is called with the data.
 * @param {{feed: import("../data/store.js").Snapshot, what: string, children: any, place?: string}} props `place`: the
 *   class of a frame that keeps the room of the content
 */
export function Loaded({ feed, what, children, place = "" }) {
  if (feed.data !== undefined) return children(feed.data);
  const notice = noticeOf(feed, what);
  return place ? html`<div class=${place}>${notice}</div>` : notice;
}

/**
 * @param {import("../data/store.js").Snapshot} feed
 * @param {string} what
 */
function noticeOf({ error }, what) {
  if (!error) return html`<${Loading} what=${what} />`;
  return error.passing ? html`<${NotYet} what=${what} error=${error} />` : html`<${Failure} error=${error} />`;
}

/** A notice over every page that its data is not current. */
export function StaleNotice() {
  const stale = useStaleness();
  const now = useNow(stale ? 1000 : null);
  if (!stale) return null;
  const seconds = Math.max(0, Math.ceil((stale.retryAt - now) / 1000));
  return html`<div class="stale" role="status">
    <span>
      <strong>Not current.</strong> ${stale.message}
      ${stale.at > 0 && html` What you see is from <time>${clock(stale.at)}</time>.`}
    </span>
    <span class="stale-retry">
      <span aria-hidden="true">${seconds > 0 ? `Next try in ${seconds} s` : "Trying …"}</span>
      <button type="button" class="small" onClick=${() => refresh()}>Try now</button>
    </span>
  </div>`;
}

/**
 * The current time, renewed every `every` ms; not renewed where that is null.
 * @param {number | null} every
 */
export function useNow(every) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (every === null) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
