/** One run against another: where their confusions differ, and the images that one gets right and the other wrong. */
import { onText } from "../../core/events.js";
import { html, useMemo } from "../../core/html.js";
import { count, counted, percent } from "../../text/format.js";
import { ImageGrid } from "../../components/imagegrid.js";
import { isFinished, useParts } from "./runs.js";

/** @typedef {import("./runs.js").Run} Run */

/** @param {import("./runs.js").Shown} props */
export function Pair({ ids, runs, query, change }) {
  const results = useParts(ids, runs, "result");
  const wrong = useParts(ids, runs, "misclassified");
  const finished = runs.filter(({ one }) => isFinished(one));
  /** @param {string} name */
  const named = (name) => finished.find(({ one }) => one.id === query.get(name));
  const a = named("a") ?? unlike(finished, named("b"));
  const b = named("b") ?? unlike(finished, a);
  return html`<section class="card stack" aria-labelledby="pair-title">
    <div class="card-head"><h2 id="pair-title">One against another</h2>
      ${
        finished.length > 1 &&
        html`<div class="tools">
        <${Choice} label="One run" runs=${finished} chosen=${a}
          onChange=${(/** @type {string} */ id) => change({ a: id })} />
        <${Choice} label="Other run" runs=${finished} chosen=${b}
          onChange=${(/** @type {string} */ id) => change({ b: id })} /></div>`
      }</div>
    ${
      !a || !b
        ? html`<p class="muted">It takes two runs with a test result.</p>`
        : html`<${Differing} a=${a} b=${b} results=${results} wrong=${wrong} finished=${finished} />`
    }
  </section>`;
}

/**
 * The first run besides one, of another activation where there is any.
 * @param {Run[]} runs
 * @param {Run | undefined} one
 */
function unlike(runs, one) {
  const others = runs.filter((run) => run !== one);
  return others.find((run) => run.one.activation_label !== one?.one.activation_label) ?? others[0];
}

/** @param {{label: string, runs: Run[], chosen: Run | undefined, onChange: (id: string) => void}} props */
function Choice({ label, runs, chosen, onChange }) {
  return html`<label class="inline">${label} <select onChange=${onText(onChange)}>${runs.map(
    (run) => html`<option key=${run.one.id} value=${run.one.id} selected=${run === chosen}>${run.label}</option>`,
  )}</select></label>`;
}

/** @param {{a: Run, b: Run, results: Map<string, Api.ResultView>, wrong: Map<string, Api.Misclassified>,
 *   finished: Run[]}} props */
function Differing({ a, b, results, wrong, finished }) {
  if (a === b) return html`<p class="muted">Choose two different runs.</p>`;
  if (testSetOf(a) !== testSetOf(b))
    return html`<p class="muted">These two were tested on different images: another data set, or other classes.</p>`;
  const [first, second] = [a, b].map(({ one }) => results.get(one.id));
  return html`${
    first && second
      ? html`<${Confusions} a=${a} b=${b} first=${first} second=${second} />`
      : html`<p
      class="loading">Loading the results …</p>`
  }
    <${Images} a=${a} b=${b} wrong=${wrong} finished=${finished} />`;
}

/** @param {Run} run */
const testSetOf = ({ one: { spec } }) => JSON.stringify([spec.dataset, spec.classes]);

/** @param {{a: Run, b: Run, first: Api.ResultView, second: Api.ResultView}} props */
function Confusions({ a, b, first, second }) {
  const labels = first.per_class.map(({ label }) => label);
  const more = first.confusion_matrix.map((row, i) => row.map((n, j) => n - second.confusion_matrix[i][j]));
  const most = Math.max(1, ...more.flat().map(Math.abs));
  return html`<div><h3>Where they differ</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Difference of the confusion matrices">
    <table class="confusion">
      <caption class="small-text muted">Images that ${a.label} puts there, minus those of ${b.label}. Rows: what the
        image shows. Columns: what the network says. On the diagonal, + is for the first.</caption>
      <thead><tr><td></td>${labels.map((label) => html`<th scope="col">${label}</th>`)}</tr></thead>
      <tbody>${more.map(
        (row, i) =>
          html`<tr><th scope="row">${labels[i]}</th>${row.map(
            (n) => html`<td class="number" style=${{ background: shade(n, most) }}>${signed(n)}</td>`,
          )}</tr>`,
      )}</tbody></table></div>
    <p class="small-text muted">Counts of one run each: no test says that a difference is more than chance.</p></div>`;
}

/** @param {number} n */
const signed = (n) => (n === 0 ? "·" : n > 0 ? `+${n}` : `−${-n}`);

/**
 * @param {number} n
 * @param {number} most
 */
function shade(n, most) {
  if (n === 0) return "none";
  const share = Math.round(8 + 26 * (Math.abs(n) / most));
  return `color-mix(in oklab, var(${n > 0 ? "--accent" : "--warn"}) ${share}%, transparent)`;
}

/** @param {{a: Run, b: Run, wrong: Map<string, Api.Misclassified>, finished: Run[]}} props */
function Images({ a, b, wrong, finished }) {
  const alike = finished.filter((run) => testSetOf(run) === testSetOf(a));
  const lists = alike.map(({ one }) => wrong.get(one.id));
  const parts = useMemo(() => {
    const [ofA, ofB] = [a, b].map(({ one }) => wrong.get(one.id)?.indices);
    if (!ofA || !ofB || lists.some((list) => !list)) return null;
    const sets = lists.map((list) => new Set(list?.indices));
    const [inA, inB] = [new Set(ofA), new Set(ofB)];
    return {
      onlyB: ofB.filter((index) => !inA.has(index)),
      onlyA: ofA.filter((index) => !inB.has(index)),
      all: ofA.filter((index) => sets.every((set) => set.has(index))),
    };
  }, [a.one.id, b.one.id, ...lists]);
  if (!parts) return html`<p class="loading">Loading the images …</p>`;
  const images = lists[0]?.test_images ?? 0;
  return html`<div class="columns">
      <${Part} title=${`${a.label} right, ${b.label} wrong`} run=${a} indices=${parts.onlyB} images=${images} />
      <${Part} title=${`${b.label} right, ${a.label} wrong`} run=${a} indices=${parts.onlyA} images=${images} />
    </div>
    <${Part} title=${alike.length > 2 ? `Wrong by all ${alike.length} runs` : "Wrong by both"} run=${a}
      indices=${parts.all} images=${images} />
    <p class="small-text muted">By the weights of the last epoch, n = 1 run each. A number is an image’s place in the
      test set, from 0. Two runs of equal accuracy have both lists: no test says that a list is more than chance.</p>`;
}

/** @param {{title: string, run: Run, indices: number[], images: number}} props */
function Part({ title, run, indices, images }) {
  return html`<div class="stack"><h3>${title}</h3>
    <p>${
      indices.length === 0
        ? "No image."
        : `${counted(indices.length, "image")} of ${count(images)} (${percent(indices.length / images)}).`
    }</p>
    ${
      indices.length > 0 &&
      html`<${ImageGrid} key=${run.one.id + title} of=${run.one} indices=${indices}
        label=${title} />`
    }
  </div>`;
}
