/** The specs side by side: what differs, and on demand all. */
import { html } from "../../core/html.js";
import { NONE } from "../../text/format.js";
import { factorName } from "../../text/labels.js";
import { Segments } from "../../components/segments.js";
import { RunHeads } from "./heads.js";
import { pathsOf, valuesOf } from "./runs.js";

/** @param {import("./runs.js").Shown} props */
export function Specs({ runs, query, change }) {
  const specs = runs.map(({ one }) => valuesOf(one));
  const { all, differing } = pathsOf(specs);
  const isWhole = query.get("specs") === "all";
  const paths = isWhole ? all : differing;
  return html`<section class="card stack" aria-labelledby="specs-title">
    <div class="card-head"><h2 id="specs-title">Specs</h2>
      <${Segments} label="Fields" value=${isWhole ? "all" : "differing"}
        onChange=${(/** @type {string} */ which) => change({ specs: which === "all" ? which : "" })} choices=${[
          ["differing", `${differing.length} that differ`],
          ["all", `all ${all.length}`],
        ]} /></div>
    ${
      paths.length === 0
        ? html`<p>No field differs: these runs repeat one spec.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Specs of the runs">
        <table class="side-by-side"><${RunHeads} runs=${runs} first="Field" />
        <tbody>${paths.map(
          (path) => html`<tr key=${path} class=${isWhole && differing.includes(path) ? "differs" : ""}>
          <th scope="row" title=${path}>${factorName(path)}</th>
          ${specs.map((values) => html`<td>${values.get(path) ?? NONE}</td>`)}</tr>`,
        )}</tbody></table></div>`
    }
    ${isWhole && differing.length > 0 && html`<p class="small-text muted">Bold: fields that differ.</p>`}
  </section>`;
}
