/** The time until the runs of each group reached a level: medians after Kaplan and Meier. */
import { onText } from "../../core/events.js";
import { html, useEffect, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { count, counted, duration, plain } from "../../text/format.js";
import { cellsOf, groupKey } from "../../text/labels.js";
import { Span } from "../../charts/span.js";
import { Failure } from "../../components/notices.js";
import { Segments } from "../../components/segments.js";
import { GroupName } from "../../components/swatch.js";

const TYPING_MS = 400;
const ROW_REM = 2.35; // room that is kept while the table is on its way
const MOST_ROWS = 5;

/** @typedef {"validation_accuracy" | "validation_loss"} Target */

/** For each metric: its name, the unit that a level is typed in, one unit of that, and a level to start with. */
/** @type {Record<Target, [string, string, number, string]>} */
const METRICS = {
  validation_accuracy: ["validation accuracy", "%", 0.01, "95"],
  validation_loss: ["validation loss", "", 1, "0.2"],
};

/**
 * @param {{study: Api.StudyView, query: string, fits: (group: Api.Curve) => boolean, styles: Map<string, LineStyle>}}
 *   props `fits` says whether a group is drawn.
 */
export function Speed({ study, query, fits, styles }) {
  const [metric, setMetric] = useState(/** @type {Target} */ ("validation_accuracy"));
  const [typed, setTyped] = useState(METRICS.validation_accuracy[3]);
  const [name, unit, size] = METRICS[metric];
  const level = useLevel(typed, size);
  const feed = useFeed(
    level === null ? null : `/studies/${study.id}/curves?metric=${metric}&level=${level}${query}`,
    null,
    study.revision,
  );
  /** @param {Target} other */
  const choose = (other) => {
    setMetric(other);
    setTyped(METRICS[other][3]);
  };
  return html`<div class="stack">
    <div class="tools"><h3>Speed of learning</h3>
      <${Segments} label="Figure that reaches the level" value=${metric} onChange=${choose}
        choices=${Object.entries(METRICS).map(([target, [text]]) => [target, text])} />
      <label class="inline small-text">
        ${metric === "validation_loss" ? "down to" : "up to"} <input class="level" inputmode="decimal" value=${typed}
          aria-invalid=${level === null ? "true" : undefined}
        onInput=${onText(setTyped)} /> ${unit}</label></div>
    ${level === null && html`<p class="wrong">Give a number, such as ${METRICS[metric][3]}.</p>`}
    ${feed.error && !feed.error.passing && html`<${Failure} error=${feed.error} />`}
    <div style=${{ minHeight: `${ROW_REM * (1 + Math.min(MOST_ROWS, cellsOf(study)))}rem` }}>
      ${feed.data && html`<${Reached} groups=${feed.data.groups.filter(fits)} styles=${styles} />`}</div>
    <p class="small-text muted">Medians after Kaplan and Meier until ${name} first reached the level: a run that ended,
      or has only got so far, without reaching it counts as one that takes longer;
      “not reached by half” says no more than that fewer than half are known to have got there. Medians test nothing;
        the ranking by “Speed of learning” does.</p>
  </div>`;
}

/**
 * The typed level as a figure, renewed when the typing pauses; null where it is no number.
 * @param {string} typed
 * @param {number} size
 */
function useLevel(typed, size) {
  const read =
    typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number((Number(typed) * size).toPrecision(12)) : null;
  const [level, setLevel] = useState(read);
  useEffect(() => {
    const timer = setTimeout(() => setLevel(read), TYPING_MS);
    return () => clearTimeout(timer);
  }, [read]);
  return read === null ? null : level;
}

/** @param {{groups: Api.Curve[], styles: Map<string, LineStyle>}} props */
function Reached({ groups, styles }) {
  const shown = groups.map((group) => group.reached);
  /** @param {"median_epochs" | "median_seconds"} name */
  const most = (name) => Math.max(0, ...shown.map((reached) => reached?.[name] ?? 0));
  const [epochs, seconds] = [most("median_epochs"), most("median_seconds")];
  return html`<div class="scroll"><table class="cards reached"><thead><tr><th scope="col">Group</th>
    <th scope="col" class="number">Got there</th>
      <th scope="col">Median epochs</th><th scope="col">Median seconds of training</th></tr></thead>
    <tbody>${groups.map((group) => {
      if (!group.reached) return null;
      const color = styles.get(groupKey(group.factors))?.color ?? "currentcolor";
      const { n, n_reached: there, median_epochs: inEpochs, median_seconds: inSeconds } = group.reached;
      const unknown = group.epochs.length === 0 ? "no epoch yet" : "not reached by half";
      return html`<tr key=${groupKey(group.factors)}><th scope="row"><${GroupName} factors=${group.factors} /></th>
        <td data-label="Got there" class="number">${count(there)} of ${counted(n, "run")}</td>
        <td data-label="Median epochs">
          <${Median} value=${inEpochs} most=${epochs} color=${color}
            text=${inEpochs === null ? unknown : plain(inEpochs)} /></td>
        <td data-label="Median seconds">
          <${Median} value=${inSeconds} most=${seconds} color=${color}
            text=${inSeconds !== null ? duration(inSeconds) : inEpochs === null ? unknown : "devices are mixed"} /></td>
              </tr>`;
    })}</tbody></table></div>`;
}

/** @param {{value: number | null, most: number, color: string, text: string}} props */
function Median({ value, most, color, text }) {
  return html`<span class="median"><${Span} value=${value} most=${most} color=${color} />
    <span class=${value === null ? "muted small-text" : ""}>${text}</span></span>`;
}
