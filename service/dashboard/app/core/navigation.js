/** The address: its path and its query, and navigation. routes.js maps addresses to pages. */
import { useEffect, useState } from "./html.js";
import { below, whole } from "./root.js";

/**
 * Go to another page without loading the shell again.
 * @param {string} address below the root
 * @param {{replace?: boolean}} [options]
 */
export function navigate(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", whole(address));
  dispatchEvent(new Event("navigated"));
}

/**
 * The current path below the root; it follows links, `navigate` and the browser's back and forward.
 * @param {(pathname: string) => boolean} isPage whether a link leads to one of our pages, which need no new document
 */
export function usePath(isPage) {
  const [path, setPath] = useState(below());
  useEffect(() => {
    const update = () => setPath(below());
    /** @param {MouseEvent} event */
    const follow = (event) => followLink(event, isPage);
    addEventListener("navigated", update);
    addEventListener("popstate", update);
    document.addEventListener("click", follow);
    return () => {
      removeEventListener("navigated", update);
      removeEventListener("popstate", update);
      document.removeEventListener("click", follow);
    };
  }, []);
  return path;
}

/**
 * The query of the address, and a function that changes some of it: in place, or with `push` as a new entry in the
 * history.
 * @returns {[URLSearchParams, (changes: Record<string, string | string[]>, options?: {push?: boolean}) => void]}
 */
export function useQuery() {
  const [query, setQuery] = useState(() => new URLSearchParams(location.search));
  useEffect(() => {
    const update = () => setQuery(new URLSearchParams(location.search));
    addEventListener("navigated", update);
    addEventListener("popstate", update);
    return () => {
      removeEventListener("navigated", update);
      removeEventListener("popstate", update);
    };
  }, []);
  /**
   * @param {Record<string, string | string[]>} changes; an empty value takes a name away, a list repeats it
   * @param {{push?: boolean}} [options]
   */
  const change = (changes, { push = false } = {}) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      for (const one of Array.isArray(value) ? value : value ? [value] : []) next.append(name, one);
    }
    navigate(`${below()}${next.size ? `?${next}` : ""}${location.hash}`, { replace: !push });
  };
  return [query, change];
}

/**
 * @param {MouseEvent} event
 * @param {(pathname: string) => boolean} isPage
 */
function followLink(event, isPage) {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link =
    event.target instanceof Element ? /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[href]")) : null;
  if (!isPlain || event.defaultPrevented || !link || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || link.hash || !isPage(below(link.pathname))) return;
  event.preventDefault();
  if (link.href !== location.href) navigate(`${below(link.pathname)}${link.search}`);
  scrollTo(0, 0);
}

/**
 * Name the page in the window's title.
 * @param {string} title
 */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} – ActLab` : "ActLab";
  }, [title]);
}
