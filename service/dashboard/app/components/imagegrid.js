/** Test images by their numbers: as pictures where the server has the data set, else the numbers alone. */
import { html, useState } from "../core/html.js";
import { useFeed } from "../data/store.js";
import { count, counted } from "../text/format.js";
import { Copy } from "./asrequest.js";
import { ImageList } from "./imagelist.js";

const PER_STEP = 24;
const SIZE = 56; // pixels of the page, twice those of a digit

/** @typedef {{spec: Record<string, any>}} Trained of which the data set and its classes count the images */

/**
 * @param {{of: Trained, indices: number[], label: string, notes?: Map<number, string>}} props `label` names the list;
 *   `notes` say more of single images, by their number
 */
export function ImageGrid({ of: { spec }, indices, label, notes }) {
  const dataset = useFeed(`/datasets/${encodeURIComponent(spec.dataset)}`);
  const [most, setMost] = useState(PER_STEP);
  if (!dataset.data && !dataset.error)
    return html`<div class="image-grid waiting" role="status" aria-label="Loading"></div>`;
  if (!dataset.data?.on_server)
    return html`<${ImageList} indices=${indices} /><p class="small-text muted">
      ${dataset.data?.missing ?? dataset.error?.message} So these are the numbers of the images alone.</p>`;
  const shown = indices.slice(0, most);
  const left = indices.length - shown.length;
  return html`<ul class="image-grid" aria-label=${label}>${shown.map(
    (index) => html`<li key=${index}><figure>
      <img src=${addressOf(spec, index)} width=${SIZE} height=${SIZE} alt=${`Test image ${index}`} loading="lazy" />
      <figcaption>${index}${notes?.has(index) && html`<br />${notes.get(index)}`}</figcaption></figure></li>`,
  )}</ul>
    <div class="tools">
      ${
        left > 0 &&
        html`<button type="button" class="small" onClick=${() => setMost(most + PER_STEP)}>
        ${left > PER_STEP ? `Show ${PER_STEP} more` : `Show the last ${left}`}</button>`
      }
      <span class="small-text muted" role="status">
        ${left > 0 ? `${shown.length} of ${count(indices.length)} shown` : counted(indices.length, "image")}</span>
      <${Copy} text=${indices.join("\n")} label=${`Copy all ${count(indices.length)} numbers`} />
    </div>`;
}

/**
 * The address of a test image's picture. Results of chosen classes count the images of these classes alone.
 * @param {Record<string, any>} spec
 * @param {number} index
 */
function addressOf({ dataset, classes }, index) {
  const chosen = (classes ?? []).map((/** @type {number} */ label) => `classes=${label}`).join("&");
  return `/api/v1/datasets/${encodeURIComponent(dataset)}/images/${index}.png${chosen && `?${chosen}`}`;
}
