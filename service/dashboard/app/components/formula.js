/** Typeset mathematics. KaTeX is loaded when the first formula appears. */
import { html, useEffect, useRef } from "../core/html.js";
import { whole } from "../core/root.js";

const KATEX = whole("/assets/katex/katex.min.js");

/** @type {Promise<Window["katex"]> | undefined} */
let loading;

// KaTeX sets the style of its braces as an attribute, which the page's policy refuses; it allows the property.
SVGElement.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

function loadKatex() {
  loading ??= new Promise((resolve, reject) => {
    const sheet = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: whole("/assets/katex/katex.min.css"),
    });
    document.head.append(sheet);
    // A variable, so that tsc does not look for the file: its address exists only on the server.
    import(KATEX).then(() => resolve(window.katex), reject);
  });
  return loading;
}

/**
 * @param {{latex: string, text: string, display?: boolean}} props `text` is shown until, and where, it cannot be
 *   typeset.
 */
export function Formula({ latex, text, display = false }) {
  const place = useRef(/** @type {any} */ (null));
  useEffect(() => {
    let current = true;
    place.current.textContent = text;
    loadKatex().then((katex) => {
      // `render` sets styles through the DOM, which the page's policy allows; `renderToString` would not.
      if (current) katex.render(latex, place.current, { displayMode: display, throwOnError: false });
    });
    return () => {
      current = false;
    };
  }, [latex, text, display]);
  return html`<span class="math" ref=${place}></span>`;
}
