/** The means over two factors as a heat map. Cells that no test separates from the best look alike. */
import { onText } from "../../core/events.js";
import { html, useMemo, useState } from "../../core/html.js";
import { figure } from "../../text/format.js";
import { factorName, valueText } from "../../text/labels.js";
import { rampColor } from "../../charts/palette.js";
import { cellText, isTop, keyOf } from "./cells.js";

const DARK = 0.62; // from this share of the ramp on, white letters are read better than black ones

/** @typedef {import("./cells.js").Factor} Factor */

/** @param {{groups: Api.Group[], family: Api.Family, factors: Factor[], query: URLSearchParams,
 *   change: (changes: Record<string, string>) => void}} props */
export function TwoFactors({ groups, family, factors, query, change }) {
  const paths = factors.map(({ path }) => path);
  const down = paths.includes(query.get("down") ?? "") ? String(query.get("down")) : paths[0];
  const asked = query.get("across") ?? "";
  const across = paths.includes(asked) && asked !== down ? asked : String(paths.find((path) => path !== down));
  const others = factors.filter(({ path }) => path !== down && path !== across);
  /** @param {Factor} factor */
  const levelOf = ({ path, levels }) => {
    const level = query.get(`at.${path}`) ?? "";
    return levels.includes(level) ? level : levels[0];
  };
  const fixed = others.map((factor) => [factor.path, levelOf(factor)]);
  const cells = useMemo(
    () =>
      new Map(
        groups
          .filter(({ factors: own }) => fixed.every(([path, level]) => valueText(own[path]) === level))
          .map((group) => [`${valueText(group.factors[down])}\n${valueText(group.factors[across])}`, group]),
      ),
    [groups, down, across, JSON.stringify(fixed)],
  );
  /** @param {string} name @param {string} value */
  const choice = (name, value) => html`<select onChange=${onText((text) => change({ [name]: text }))}>
    ${paths.map(
      (path) => html`<option key=${path} value=${path} selected=${path === value}>
        ${factorName(path)}</option>`,
    )}
    </select>`;
  return html`<div class="stack"><div class="tools"><h3>Two factors</h3>
      <label class="inline">Down ${choice("down", down)}</label>
      <label class="inline">Across ${choice("across", across)}</label>
      ${others.map(
        (factor) => html`<label class="inline" key=${factor.path}>${factorName(factor.path)}
          <select onChange=${onText((text) => change({ [`at.${factor.path}`]: text }))}>
          ${factor.levels.map(
            (level) =>
              html`<option key=${level} value=${level} selected=${level === levelOf(factor)}>${level}</option>`,
          )}</select></label>`,
      )}</div>
    <${Cells} cells=${cells} all=${groups} unit=${family.unit} down=${factors.find(({ path }) => path === down)}
      across=${factors.find(({ path }) => path === across)} />
    <p class="small-text muted">Framed, all in one colour: cells that no test separates from the best of
      all ${groups.length}. The others: the darker, the higher the mean. ${family.title}.</p></div>`;
}

/** @param {{cells: Map<string, Api.Group>, all: Api.Group[], unit: string, down: Factor, across: Factor}} props */
function Cells({ cells, all, unit, down, across }) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const means = all.flatMap(({ mean }) => mean ?? []);
  const [low, high] = [Math.min(...means), Math.max(...means)]; // of all, so that little differs little
  const shown = [...cells.values()].find((group) => keyOf(group) === chosen);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Means over two factors">
    <table class="matrix heat">
    <caption class="visually-hidden">${factorName(down.path)} down, ${factorName(across.path)} across</caption>
    <thead><tr><td></td>${across.levels.map((level) => html`<th scope="col">${level}</th>`)}</tr></thead>
    <tbody>${down.levels.map(
      (row) =>
        html`<tr><th scope="row">${row}</th>${across.levels.map((column) => {
          const group = cells.get(`${row}\n${column}`);
          if (!group || group.mean === null) return html`<td class="self">–</td>`;
          const text = cellText(group, unit);
          const look = () => setChosen(keyOf(group));
          return html`<td class=${isTop(group) ? "top" : ""}
          style=${isTop(group) ? {} : coloured(group.mean, low, high)}>
          <button type="button" class="quiet" title=${text} aria-label=${text} aria-pressed=${keyOf(group) === chosen}
            onClick=${look} onFocus=${look} onMouseEnter=${look}>${figure(group.mean, unit)}</button></td>`;
        })}</tr>`,
    )}</tbody></table></div>
    <p class="cell-detail" aria-live="polite">
      ${shown ? cellText(shown, unit) : html`<span class="muted">Choose a cell for its interval.</span>`}</p>`;
}

/**
 * @param {number} mean
 * @param {number} low
 * @param {number} high
 */
function coloured(mean, low, high) {
  const share = high > low ? (mean - low) / (high - low) : 0;
  return { background: rampColor(share), color: share > DARK ? "#ffffff" : "#14181c" };
}
