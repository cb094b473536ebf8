/** All factors at once, as parallel coordinates over the cells. Seeds have no lines of their own. */
import { onText } from "../../core/events.js";
import { html, useMemo, useState } from "../../core/html.js";
import { counted, figure, plain } from "../../text/format.js";
import { factorName, groupLabel, valueText } from "../../text/labels.js";
import { Parallel } from "../../charts/parallel.js";
import { cellText, isTop, keyOf } from "./cells.js";

/** @param {{groups: Api.Group[], family: Api.Family, factors: import("./cells.js").Factor[]}} props one group a cell */
export function ManyFactors({ groups, family, factors }) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const measured = useMemo(() => groups.filter(({ mean }) => mean !== null), [groups]);
  const axes = useMemo(() => factors.map(({ path, levels }) => ({ title: factorName(path), levels })), [factors]);
  const cells = useMemo(
    () =>
      measured.map((group) => ({
        key: keyOf(group),
        places: factors.map(({ path, levels }) => levels.indexOf(valueText(group.factors[path]))),
        value: Number(group.mean),
        isTop: isTop(group),
      })),
    [measured, factors],
  );
  const shown = measured.find((group) => keyOf(group) === chosen);
  const top = measured.filter(isTop);
  const isShare = family.unit === "fraction";
  const names = factors.map(({ path }) => factorName(path)).join(", ");
  const best = `not separable from the best: ${counted(top.length, "cell")}`;
  const label = `${family.title} of ${counted(measured.length, "cell")} over ${names}; ${best}`;
  return html`<div class="stack"><div class="tools"><h3>All factors</h3>
      <label class="inline">Cell <select onChange=${onText((key) => setChosen(key || null))}>
        <option value="">none</option>
        ${measured.map(
          (group) => html`<option key=${keyOf(group)} value=${keyOf(group)} selected=${keyOf(group) === chosen}>
          ${groupLabel(group.factors)}</option>`,
        )}</select></label></div>
    <${Parallel} axes=${axes} cells=${cells} title=${isShare ? "mean, %" : "mean"} chosen=${chosen} onPoint=${setChosen}
      format=${(/** @type {number} */ value) => (isShare ? plain(100 * value, 4) : figure(value, family.unit))}
      label=${label} />
    <p class="cell-detail" aria-live="polite">${
      shown
        ? cellText(shown, family.unit)
        : html`<span class="muted">Point at a line, or choose a cell, for its factors and its interval.</span>`
    }</p>
    <p class="small-text muted">A line is the mean of one cell over its seeds. Blue: cells that no test separates from
      the best.</p></div>`;
}
