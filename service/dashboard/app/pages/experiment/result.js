/** The test result of a finished experiment: scores with their intervals, and the confusion matrix. */
import { html } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { count, percent, plain, range } from "../../text/format.js";
import { Loaded } from "../../components/notices.js";
import { Misclassified } from "./misclassified.js";

const MOST_PAIRS = 8;

/** @param {{one: Api.ExperimentView}} props */
export function Result({ one }) {
  const feed = useFeed(`/experiments/${one.id}/result`);
  return html`<section class="card stack" aria-labelledby="result-title"><h2 id="result-title">Test result</h2>
    <${Loaded} feed=${feed} what="the result">${(
      /** @type {Api.ResultView} */ result,
    ) => html`<${Scores} result=${result} />
      <div class="columns"><${Confusion} labels=${result.per_class.map(({ label }) => label)}
        matrix=${result.confusion_matrix} />
        <div class="stack"><${Confused} labels=${result.per_class.map(({ label }) => label)}
          matrix=${result.confusion_matrix} /><${Classes} classes=${result.per_class} /></div></div>
      <${Misclassified} one=${one} />
      <${Weights} one=${one} />
      <${Fingerprint} fingerprint=${result.fingerprint} />`}<//>
  </section>`;
}

/** @param {{result: Api.ResultView}} props */
function Scores({ result }) {
  const images = result.confusion_matrix.flat().reduce((sum, n) => sum + n, 0);
  /** @type {[string, Api.ScoreView][]} */
  const rows = [
    ["Last epoch (primary)", result.last],
    ["Best validation loss", result.best],
  ];
  return html`<div class="scroll"><table class="cards"><thead><tr><th scope="col">Weights</th>
    <th scope="col" class="number">Epoch</th><th scope="col" class="number">Accuracy</th>
      <th scope="col" class="number">95 % over test images</th><th scope="col" class="number">Loss</th></tr></thead>
    <tbody>${rows.map(
      ([name, score]) => html`<tr><th scope="row">${name}</th><td class="number" data-label="Epoch">${score.epoch}</td>
        <td class="number" data-label="Accuracy">${percent(score.test_accuracy)}</td>
      <td class="number" data-label="95 % over test images">${range(score.interval, "fraction")}</td>
        <td class="number" data-label="Loss">${plain(score.test_loss)}</td></tr>`,
    )}</tbody></table></div>
    <p class="small-text muted">n = ${count(images)} test images, one seed: the interval (Wilson) says nothing of other
      seeds.</p>`;
}

/**
 * @param {number[]} labels
 * @param {number[][]} matrix
 */
const cellsOf = (labels, matrix) =>
  matrix.flatMap((row, i) =>
    row.map((n, j) => ({
      n,
      from: labels[i],
      to: labels[j],
      i,
      j,
      share:
        n /
        Math.max(
          1,
          row.reduce((sum, one) => sum + one, 0),
        ),
    })),
  );

/** @param {{labels: number[], matrix: number[][]}} props */
function Confusion({ labels, matrix }) {
  const cells = cellsOf(labels, matrix);
  const worst = Math.max(1e-9, ...cells.filter(({ i, j }) => i !== j).map(({ share }) => share));
  /** @param {{i: number, j: number, n: number, share: number}} of */
  const shade = ({ i, j, n, share }) =>
    n === 0
      ? "none"
      : i === j
        ? `color-mix(in oklab, var(--good) ${Math.round(24 * share)}%, transparent)`
        : `color-mix(in oklab, var(--warn) ${Math.round(8 + 28 * (share / worst))}%, transparent)`;
  return html`<div><h3>Confusion matrix</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="confusion">
    <caption class="small-text muted">Rows: what the image shows. Columns: what the network says.</caption>
    <thead><tr><td></td>${labels.map((label) => html`<th scope="col">${label}</th>`)}</tr></thead>
    <tbody>${matrix.map(
      (row, i) => html`<tr><th scope="row">${labels[i]}</th>
      ${row.map(
        (n, j) => html`<td class="number" style=${{ background: shade(cells[i * row.length + j]) }}>${n || "·"}
        </td>`,
      )}</tr>`,
    )}</tbody>
  </table></div></div>`;
}

/** @param {{labels: number[], matrix: number[][]}} props */
function Confused({ labels, matrix }) {
  const wrong = cellsOf(labels, matrix)
    .filter(({ n, i, j }) => i !== j && n > 0)
    .sort((a, b) => b.n - a.n)
    .slice(0, MOST_PAIRS);
  if (wrong.length === 0) return html`<p>It mistook no test image.</p>`;
  return html`<div><h3>Most confused</h3><table class="plain-table"><tbody>${wrong.map(
    ({ n, from, to, share }) =>
      html`<tr><td>${from} taken for ${to}</td><td class="number">${count(n)}</td><td class="number muted">
        ${percent(share, 1)} of all ${from}s</td></tr>`,
  )}</tbody></table></div>`;
}

/** @param {{classes: Api.ClassFigures[]}} props */
function Classes({ classes }) {
  return html`<div><h3>By class</h3><table class="plain-table"><thead><tr><th scope="col">Class</th>
    <th scope="col" class="number">n</th><th scope="col" class="number">Precision</th>
    <th scope="col" class="number">Recall</th><th scope="col" class="number">F1</th></tr></thead><tbody>${classes.map(
      (one) =>
        html`<tr><th scope="row">${one.label}</th><td class="number">${count(one.support)}</td><td class="number">
          ${plain(one.precision, 3)}</td><td class="number">${plain(one.recall, 3)}</td><td class="number">
            ${plain(one.f1, 3)}</td></tr>`,
    )}</tbody></table></div>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Weights({ one }) {
  /** @param {string} which */
  const address = (which) => `/api/v1/experiments/${one.id}/weights?which=${which}`;
  return html`<div class="tools"><h3>Weights</h3>
    <a class="button small" href=${address("last")} download>Last epoch</a>
    <a class="button small" href=${address("best")} download>Best validation loss</a>
    <span class="small-text muted">safetensors, with the spec and the scores; <code>actlab.torch.load</code> builds the
      network. A file that was not kept is not found.</span></div>`;
}

/** @param {{fingerprint: Api.Fingerprint}} props */
function Fingerprint({ fingerprint }) {
  const { mixed, ...facts } = fingerprint;
  return html`<details>
    <summary>Measured with ${fingerprint.device_name}, ${fingerprint.precision}${
      mixed && ", resumed under another fingerprint"
    }</summary>
    <dl>${Object.entries(facts).map(
      ([name, value]) => html`<dt>${name.replaceAll("_", " ")}</dt><dd>${String(value)}
      </dd>`,
    )}</dl></details>`;
}
