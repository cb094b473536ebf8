/** Text in Markdown. The libraries are loaded with the first text. */
import { html, useEffect, useState } from "../core/html.js";
import { whole } from "../core/root.js";

// Variables, so that tsc does not look for the files: their addresses exist only on the server.
const MARKED = whole("/assets/marked/lib/marked.esm.js");
const PURIFY = whole("/assets/dompurify/purify.es.mjs");
const HEADINGS_BELOW = 2; // the level of the heading over notes
const DEEPEST = 6;

// No pictures, which would ask another host, and nothing that has a style, which the page's policy refuses.
const ALLOWED = {
  ALLOWED_TAGS: [
    ...["a", "p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li"],
    ...["h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  ALLOWED_ATTR: ["href", "title", "start", "align"],
  ADD_URI_SAFE_ATTR: ["align", "start"],
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|[/#])/i,
};

/** @type {Promise<(text: string) => string> | undefined} */
let loading;

/** A function that renders Markdown as HTML, which is sanitised. HTML within the text is shown as text. */
function loadRenderer() {
  loading ??= Promise.all([import(MARKED), import(PURIFY)]).then(([{ Marked }, { default: purify }]) => {
    const marked = new Marked({
      gfm: true,
      breaks: true,
      walkTokens: (/** @type {any} */ token) => {
        if (token.type === "heading") token.depth = Math.min(DEEPEST, token.depth + HEADINGS_BELOW);
      },
      renderer: {
        html: (/** @type {{text: string}} */ { text }) => escaped(text),
        image: (/** @type {{href: string, text: string}} */ { href, text }) =>
          `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
        checkbox: (/** @type {{checked: boolean}} */ { checked }) => (checked ? "☑ " : "☐ "),
      },
    });
    return (text) => purify.sanitize(marked.parse(text), ALLOWED);
  });
  return loading;
}

/** @param {string} text */
const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/**
 * A text in Markdown; as it was written until the libraries are loaded, and where they cannot be.
 * @param {{text: string}} props
 */
export function Markdown({ text }) {
  const [loaded, setLoaded] = useState(/** @type {{render: (text: string) => string} | null} */ (null));
  useEffect(() => {
    let current = true;
    loadRenderer().then(
      (render) => current && setLoaded({ render }),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);
  if (!loaded) return html`<p class="markdown as-typed">${text}</p>`;
  return html`<div class="markdown" dangerouslySetInnerHTML=${{ __html: loaded.render(text) }}></div>`;
}
