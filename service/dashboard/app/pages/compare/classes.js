/** The test figures of each class, side by side. */
import { html } from "../../core/html.js";
import { count, plain } from "../../text/format.js";
import { Segments } from "../../components/segments.js";
import { RunHeads } from "./heads.js";
import { isFinished, useParts } from "./runs.js";

/** @type {["recall" | "precision" | "f1", string][]} */
const KINDS = [
  ["recall", "recall"],
  ["precision", "precision"],
  ["f1", "F1"],
];

/** @param {import("./runs.js").Shown} props */
export function Classes({ ids, runs, query, change }) {
  const results = useParts(ids, runs, "result");
  const asked = query.get("class");
  const [kind] = KINDS.find(([name]) => name === asked) ?? KINDS[0];
  const shown = runs.filter(({ one }) => results.has(one.id));
  const waiting = runs.filter(({ one }) => isFinished(one)).length - shown.length;
  return html`<section class="card stack" aria-labelledby="classes-title">
    <div class="card-head"><h2 id="classes-title">By class</h2>
      <${Segments} label="Figure of a class" value=${kind}
        onChange=${(/** @type {string} */ name) => change({ class: name === "recall" ? "" : name })} choices=${KINDS} />
    </div>
    ${
      shown.length > 0
        ? html`<${Table} runs=${shown} results=${results} kind=${kind} />`
        : html`<p class="muted">${waiting > 0 ? "Loading …" : "No run has a test result yet."}</p>`
    }
    <p class="small-text muted">On the test images, by the weights of the last epoch; one run each, so no value is
      marked.</p>
  </section>`;
}

/** @param {{runs: import("./runs.js").Run[], results: Map<string, Api.ResultView>, kind: "recall" | "precision" |
 *   "f1"}} props */
function Table({ runs, results, kind }) {
  const tables = runs.map(
    ({ one }) => new Map((results.get(one.id)?.per_class ?? []).map((figures) => [figures.label, figures])),
  );
  const labels = [...new Set(tables.flatMap((table) => [...table.keys()]))].sort((a, b) => a - b);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Figures by class">
    <table class="side-by-side"><${RunHeads} runs=${runs} first="Class" isNumeric />
    <tbody>${labels.map(
      (label) => html`<tr key=${label}><th scope="row">${label}
        <span class="muted small-text"> n = ${count(tables.find((table) => table.has(label))?.get(label)?.support ?? 0)}
        </span></th>
        ${tables.map((table) => html`<td class="number">${plain(table.get(label)?.[kind], 3)}</td>`)}</tr>`,
    )}</tbody></table></div>`;
}
