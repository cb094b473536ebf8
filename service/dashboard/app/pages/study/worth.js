/** Accuracy against training time: is a group worth its time? */
import { onFold } from "../../core/events.js";
import { html, useMemo, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { duration, figure, plain, range } from "../../text/format.js";
import { cellsOf, groupKey, groupLabel } from "../../text/labels.js";
import { groupStyles, useColours } from "../../charts/palette.js";
import { Scatter } from "../../charts/scatter.js";
import { Failure } from "../../components/notices.js";
import { GroupName } from "../../components/swatch.js";
import { metricsOf } from "./answer.js";

const MANY_CELLS = 40; // from here on the times of all pairs take the server long, and are asked for when wanted

/** @typedef {{group: Api.Group, time: Api.Group}} Measured a group by its accuracy and by its time */

/** @param {{study: Api.StudyView, grid: string}} props */
export function Worth({ study, grid }) {
  const [isOpen, setOpen] = useState(cellsOf(study) <= MANY_CELLS);
  return html`<details class="card" open=${isOpen} onToggle=${onFold(setOpen)}>
    <summary><h2>Accuracy against time</h2> <span class="muted small-text">which groups are worth their seconds</span>
    </summary>${isOpen && html`<${Drawn} study=${study} grid=${grid} />`}</details>`;
}

/** @param {{study: Api.StudyView, grid: string}} props */
function Drawn({ study, grid }) {
  const { choice, epoch } = metricsOf(study);
  const part = grid && `&grid=${encodeURIComponent(grid)}`;
  /** @param {string} metric */
  const path = (metric) => `/studies/${study.id}/comparison?metric=${metric}&versus=all${part}`;
  const accuracy = useFeed(path(choice), null, study.revision);
  const seconds = useFeed(path("seconds"), null, study.revision);
  const { dark } = useColours();
  // While runs learn the study changes and its comparisons do not.
  const drawn = useMemo(
    () =>
      html`<${Picture} ...${drawnOf(accuracy.data?.groups ?? [], seconds.data?.groups ?? [], dark)} epoch=${epoch} />`,
    [accuracy.data, seconds.data, dark, epoch],
  );
  const error = [accuracy.error, seconds.error].find((one) => one && !one.passing);
  if (error) return html`<${Failure} error=${error} />`;
  if (!accuracy.data || !seconds.data) return html`<p class="loading" role="status">Loading the times …</p>`;
  return drawn;
}

/** @param {{points: import("../../charts/scatter.js").Point[], measured: Map<string, Measured>,
 *   epoch: string}} props */
function Picture({ points, measured, epoch }) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  if (points.length === 0) return html`<p class="muted">No group has both figures yet.</p>`;
  const front = points.filter(({ isFirst }) => isFirst).sort((a, b) => a.x - b.x);
  const shown = measured.get(chosen ?? "");
  const best = front.map((one) => one.label).join("; ");
  const label = `Validation accuracy against training time; not beaten in both: ${best}`;
  return html`<div class="stack">
    <${Scatter} points=${points} chosen=${chosen} onPoint=${setChosen} label=${label}
      across=${{ title: "training time, seconds", format: (/** @type {number} */ value) => plain(value, 3) }}
      up=${{ title: "validation accuracy", format: (/** @type {number} */ value) => plain(100 * value, 4) }} />
    <p class="cell-detail" aria-live="polite">${
      shown ? wordsOf(shown) : html`<span class="muted">Point at a group for its intervals.</span>`
    }</p>
    <${Front} front=${front} measured=${measured} onPoint=${setChosen} />
    <p class="small-text muted">Means over seeds: validation accuracy in % at ${epoch}, and the seconds of the whole
      training. Bars: 95 % over seeds. The line joins the groups that no other beats in both, by their means alone:
      where bars overlap, it is a description and not a finding, and the ranking tests each figure.</p></div>`;
}

/**
 * @param {Api.Group[]} groups
 * @param {Api.Group[]} times
 * @param {boolean} dark
 */
function drawnOf(groups, times, dark) {
  const byKey = new Map(times.map((time) => [groupKey(time.factors), time]));
  const styles = groupStyles(
    groups.map(({ factors }) => factors),
    dark,
  );
  const both = groups.flatMap((group) => {
    const time = byKey.get(groupKey(group.factors));
    return group.mean !== null && time && time.mean !== null ? [{ group, time, y: group.mean, x: time.mean }] : [];
  });
  const points = both.map(({ group, time, x, y }) => ({
    key: groupKey(group.factors),
    label: groupLabel(group.factors),
    x,
    y,
    xs: time.interval,
    ys: group.interval,
    style: /** @type {LineStyle} */ (styles.get(groupKey(group.factors))),
    isFirst: !both.some((other) => other.x <= x && other.y >= y && (other.x < x || other.y > y)),
  }));
  return { points, measured: new Map(both.map(({ group, time }) => [groupKey(group.factors), { group, time }])) };
}

/** @param {Measured} of */
function wordsOf({ group, time }) {
  /** @param {Api.Group} one @param {string} unit */
  const interval = (one, unit) => (one.interval ? ` (95 % ${range(one.interval, unit)})` : "");
  const accuracy = `${figure(group.mean, "fraction")}${interval(group, "fraction")}`;
  const after = `${duration(time.mean)}${interval(time, "s")}`;
  return `${groupLabel(group.factors)}: ${accuracy} after ${after}, n = ${group.n}`;
}

/**
 * The groups on the front, from the fastest to the most accurate.
 * @param {{front: import("../../charts/scatter.js").Point[], measured: Map<string, Measured>,
 *   onPoint: (key: string) => void}} props
 */
function Front({ front, measured, onPoint }) {
  return html`<div class="tools" role="group" aria-label="Groups that no other beats in both">${front.map(({ key }) => {
    const one = measured.get(key);
    return (
      one &&
      html`<button type="button" class="small" key=${key} onClick=${() => onPoint(key)}>
      <${GroupName} factors=${one.group.factors} /></button>`
    );
  })}</div>`;
}
