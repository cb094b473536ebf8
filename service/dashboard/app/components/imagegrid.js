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
 * @param {{of: Trained, indices: number[], label: string}} props `label` names the list
 */
export function ImageGrid({ of: { spec }, indices, label }) {
  const dataset = useDataset(spec.dataset);
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
      <${TestImage} spec=${spec} index=${index} />
      <figcaption>${index}</figcaption></figure></li>`,
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
 * A data set: its sizes, and whether the server shows its images.
 * @param {string | null} name
 * @returns {import("../data/store.js").Snapshot}
 */
export const useDataset = (name) => useFeed(name && `/datasets/${encodeURIComponent(name)}`);

/** @param {{spec: Record<string, any>, index: number}} props */
export function TestImage({ spec, index }) {
  return html`<img class="test-image" src=${addressOf(spec, index)} width=${SIZE} height=${SIZE}
    alt=${`Test image ${index}`} loading="lazy" />`;
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
