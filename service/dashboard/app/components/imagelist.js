/** Test images by their places in the test set: many, so that the first are shown and the rest is asked for. */
import { html, useState } from "../core/html.js";
import { count } from "../text/format.js";
import { Copy } from "./asrequest.js";

const FIRST = 100;

/** @param {{indices: number[]}} props */
export function ImageList({ indices }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? indices : indices.slice(0, FIRST);
  return html`<p class="places tall" tabindex="0" role="region" aria-label="Places of images">
    ${shown.join(" ")}${shown.length < indices.length && " …"}</p>
    <div class="tools">
      ${
        shown.length < indices.length &&
        html`<button type="button" class="small"
        onClick=${() => setWhole(true)}>Show all ${count(indices.length)}</button>`
      }
      <${Copy} text=${indices.join("\n")} label=${`Copy all ${count(indices.length)}`} />
    </div>`;
}
