/** The test images that one of two groups gets right and the other wrong. */
import { onFold } from "../../core/events.js";
import { html, useState } from "../../core/html.js";
import { usualOf } from "../../core/spec.js";
import { useFeed } from "../../data/store.js";
import { count, counted } from "../../text/format.js";
import { groupKey, groupLabel } from "../../text/labels.js";
import { TestImage, useDataset } from "../../components/imagegrid.js";
import { Loaded } from "../../components/notices.js";

const MOST = 50;

/** @param {{study: any, grid: string, groups: any[]}} props `groups` of a comparison, two at least */
export function DifferingImages({ study, grid, groups }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details class="card" onToggle=${onFold(setOpen)}>
    <summary><h2>Single images</h2> <span class="muted small-text">what one group gets right and another does not</span>
      </summary>
    ${isOpen && html`<${Chosen} study=${study} grid=${grid} factors=${groups.map((group) => group.factors)} />`}
  </details>`;
}

/** @param {{study: Api.StudyView, grid: string, factors: Factors[]}} props */
function Chosen({ study, grid, factors }) {
  // Chosen once: the order of the groups changes while they are trained.
  const [keys, setKeys] = useState(() => [groupKey(factors[0]), groupKey(factors[1])]);
  const sorted = [...factors].sort((a, b) => groupLabel(a).localeCompare(groupLabel(b)));
  const [a, b] = keys.map((key) => factors.find((group) => groupKey(group) === key));
  /** @param {number} at */
  const pick = (at) => (/** @type {any} */ event) =>
    setKeys(keys.map((key, index) => (index === at ? groupKey(sorted[event.target.selectedIndex]) : key)));
  /** @param {number} at */
  const choice = (at) =>
    html`<select onChange=${pick(at)}>
      ${sorted.map(
        (group) => html`<option key=${groupKey(group)} selected=${groupKey(group) === keys[at]}>
        ${groupLabel(group)}</option>`,
      )}</select>`;
  return html`<div class="stack">
    <div class="tools"><label class="inline">One group ${choice(0)}</label>
      <label class="inline">Other group ${choice(1)}</label></div>
    ${
      a && b && keys[0] !== keys[1]
        ? html`<div class="columns">${[
            [a, b],
            [b, a],
          ].map(
            ([right, wrong]) =>
              html`<${Direction} key=${groupKey(right)} study=${study} grid=${grid} right=${right} wrong=${wrong} />`,
          )}</div>`
        : html`<p class="muted">Choose two different groups.</p>`
    }
    <p class="small-text muted">Counted are images that more than half of the seeds of one group get right and more than
      half of the other’s wrong, by the weights
      of the last epoch. A number is an image’s place in the test set, from 0. No test says that
        such a list is more than chance: two groups of
      equal accuracy have one each.</p>
  </div>`;
}

/** @param {{study: Api.StudyView, grid: string, right: Factors, wrong: Factors}} props */
function Direction({ study, grid, right, wrong }) {
  const query = new URLSearchParams({
    a: JSON.stringify(right),
    b: JSON.stringify(wrong),
    limit: String(MOST),
    ...(grid && { grid }),
  });
  const feed = useFeed(`/studies/${study.id}/images?${query}`, null, study.progress.succeeded);
  return html`<section><h3>${groupLabel(right)} right, ${groupLabel(wrong)} wrong</h3>
    <${Loaded} feed=${feed} what="the images">
      ${(/** @type {Api.DifferingImages} */ images) =>
        html`<${Images} images=${images} spec=${specOf(study, right)} />`}<//></section>`;
}

/**
 * The fields by which results of a group number the test images.
 * @param {Api.StudyView} study
 * @param {Factors} factors
 */
const specOf = ({ base }, factors) => ({
  dataset: factors.dataset ?? base.dataset ?? usualOf("dataset"),
  classes: "classes" in factors ? JSON.parse(factors.classes) : base.classes,
});

/** @param {{images: Api.DifferingImages, spec: Record<string, any>}} props */
function Images({ images, spec }) {
  const isShown = useDataset(spec.dataset).data?.on_server;
  if (images.n_a === 0 || images.n_b === 0) return html`<p class="muted">One of the two has no result yet.</p>`;
  return html`<p>
    ${counted(images.total, "image")} of ${count(images.test_images)}; n
      = ${images.n_a} and ${counted(images.n_b, "seed")}.${images.total > MOST && ` The clearest ${MOST}:`}</p>
    ${
      images.total > 0 &&
      html`<div class="scroll tall" tabindex="0" role="region" aria-label="Images"><table>
      <thead><tr><th scope="col" class="number">Image</th><th scope="col" class="number">Right in one</th>
        <th scope="col" class="number">Right in the other</th></tr></thead>
      <tbody>${images.images.map(
        (image) => html`<tr key=${image.index}><th scope="row" class="number">
          ${isShown && html`<${TestImage} spec=${spec} index=${image.index} />`}${image.index}</th>
        <td class="number">${image.a_correct} of ${images.n_a}</td>
          <td class="number">${image.b_correct} of ${images.n_b}
          </td></tr>`,
      )}</tbody></table></div>`
    }`;
}
