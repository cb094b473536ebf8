/** The learning curves of a study's groups: the article's two figures, with intervals and seeds. */
import { onCheck, onText } from "../../core/events.js";
import { html, useMemo, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { counted } from "../../text/format.js";
import { factorName, groupKey, groupLabel, valueText } from "../../text/labels.js";
import { CurvesChart } from "../../charts/curves.js";
import { groupStyles, useColours } from "../../charts/palette.js";
import { Failure } from "../../components/notices.js";
import { Segments } from "../../components/segments.js";
import { Swatch } from "../../components/swatch.js";
import { Speed } from "./speed.js";

const HEIGHT = 300;
const MANY_GROUPS = 12;
const ALL = "";

/**
 * @typedef {{path: string, values: string[], first: string}} LevelChoice a factor, its values, the one drawn at first
 */

/** [metric, the article's counterpart: a total loss, L2 term included] */
const PANELS = [
  ["train_accuracy", "train_accuracy"],
  ["validation_accuracy", "validation_accuracy"],
  ["train_loss", "train_total_loss"],
  ["validation_loss", "validation_total_loss"],
];
/** @type {Record<string, string>} */
const TITLES = {
  train_accuracy: "Training accuracy, %",
  validation_accuracy: "Validation accuracy, %",
  train_loss: "Training loss",
  validation_loss: "Validation loss",
  train_total_loss: "Training loss + L2",
  validation_total_loss: "Validation loss + L2",
};

/**
 * `grid` "" is the study as a whole. `query` and `change` are those of the address, where options and hidden groups are
 * kept.
 * @param {{study: any, grid: string, query: URLSearchParams, change: (changes: Record<string, string | string[]>) =>
 *   void}} props
 */
export function CurvesPanel({ study, grid, query, change }) {
  const options = useMemo(() => optionsIn(query), [query.toString()]);
  const hiddenLabels = query.getAll("hidden");
  const [chosen, setChosen] = useState(/** @type {Record<string, string>} */ ({}));
  /** @param {Partial<CurveOptions>} changes */
  const changeOptions = (changes) => change(addressOf({ ...options, ...changes }));
  const gridQuery = grid && `&grid=${encodeURIComponent(grid)}`;
  const parameters =
    (options.seeds ? "&seeds=true" : "") + (options.published ? "&reference=kizrak-2019" : "") + gridQuery;
  const feeds = PANELS.map(([own, published]) =>
    useFeed(
      `/studies/${study.id}/curves?metric=${options.published ? published : own}${parameters}`,
      null,
      study.revision,
    ),
  );
  /** @type {Api.Curves | undefined} */
  const first = feeds.map((feed) => feed.data).find(Boolean);
  const { dark } = useColours();
  const levels = useMemo(() => levelsOf(first?.groups ?? [], study), [first]);
  /** @param {Api.Curve} group */
  const fits = (group) =>
    levels.every(({ path, first }) => [ALL, valueText(group.factors[path])].includes(chosen[path] ?? first));
  const offered = useMemo(() => (first?.groups ?? []).filter(fits), [first, chosen]);
  const drawn = offered.map((group) => groupKey(group.factors)).join();
  // The same for as long as the same groups are drawn: new styles have every picture drawn again.
  const styles = useMemo(
    () =>
      groupStyles(
        offered.map((group) => group.factors),
        dark,
      ),
    [drawn, dark],
  );
  // Like the styles, the same set for as long as the same groups are hidden.
  const hidden = useMemo(
    () => new Set(offered.filter(({ factors }) => hiddenLabels.includes(groupLabel(factors))).map(keyOf)),
    [drawn, hiddenLabels.join("\n")],
  );
  /** @param {string} label */
  const toggle = (label) => {
    const others = hiddenLabels.filter((one) => one !== label);
    change({ hidden: others.length < hiddenLabels.length ? others : [...others, label] });
  };
  const failure = feeds.map((feed) => feed.error).find((error) => error && !error.passing);
  return html`<section class="card stack" aria-labelledby="curves-title">
    <div class="card-head"><h2 id="curves-title">Learning curves</h2>
      <${Options} options=${options} change=${changeOptions}
        hasSeconds=${offered.some((group) => group.seconds)} /></div>
    ${failure && html`<${Failure} error=${failure} />`}
    <${Levels} levels=${levels} chosen=${chosen} onChange=${setChosen} shown=${offered.length}
      all=${first?.groups.length ?? 0} />
    <${Legend} groups=${offered} styles=${styles} hidden=${hidden} onToggle=${toggle} />
    <div class="panels">${PANELS.map(([own, published], index) => {
      const name = options.published ? published : own;
      return html`<figure key=${own}><figcaption>${TITLES[name]}</figcaption>
        <${Panel} feed=${feeds[index]} fits=${fits} hidden=${hidden} styles=${styles} options=${options} /></figure>`;
    })}</div>
    <p class="small-text muted caption">${captionOf(offered, options)}</p>
    ${options.published && first?.reference && html`<${Published} reference=${first.reference} />`}
    <${Speed} study=${study} query=${gridQuery} fits=${fits} styles=${styles} />
  </section>`;
}

/**
 * @param {{feed: import("../../data/store.js").Snapshot, fits: (group: any) => boolean, hidden: Set<string>, styles:
 *   Map<string, LineStyle>, options: CurveOptions}} props
 */
function Panel({ feed, fits, hidden, styles, options }) {
  /** @type {Api.Curve[]} */
  const curves = feed.data?.groups ?? [];
  const drawn = useMemo(
    () =>
      curves
        .filter((group) => fits(group) && !hidden.has(groupKey(group.factors)))
        .map((group) => ({ group, style: styles.get(groupKey(group.factors)) }))
        .filter(({ style }) => style),
    [feed.data, hidden, styles],
  );
  const isEmpty = feed.data && curves.every((group) => group.epochs.length === 0);
  return html`<div style=${{ position: "relative", minHeight: `${HEIGHT}px` }}>
    ${feed.data && html`<${CurvesChart} curves=${feed.data} groups=${drawn} options=${options} height=${HEIGHT} />`}
    ${isEmpty && html`<p class="over muted">The first epoch has not ended yet.</p>`}
  </div>`;
}

/** @param {{options: CurveOptions, change: (changes: Partial<CurveOptions>) => void, hasSeconds: boolean}} props */
function Options({ options, change, hasSeconds }) {
  /**
   * @param {"bands" | "seeds" | "published"} name
   * @param {string} label
   */
  const box = (name, label) => html`<label class="check small-text"><input type="checkbox" checked=${options[name]}
    onChange=${onCheck((isOn) => change({ [name]: isOn }))} /> ${label}</label>`;
  return html`<div class="tools">
    <${Segments} label="Horizontal axis" value=${options.x} 
      onChange=${(/** @type {string} */ x) => change({ x })} choices=${[
        ["epoch", "by epoch"],
        ["seconds", "by seconds"],
      ]} disabled=${hasSeconds ? [] : ["seconds"]} />
    <${Segments} label="Axis of the loss" value=${options.log ? "log" : "linear"}
      onChange=${(/** @type {string} */ kind) => change({ log: kind === "log" })} choices=${[
        ["linear", "linear loss"],
        ["log", "log loss"],
      ]} />
    ${box("bands", "intervals")} ${box("seeds", "each seed")} ${box("published", "the article’s curves")}
  </div>`;
}

/** @param {Api.Curve} group */
const keyOf = (group) => groupKey(group.factors);

/**
 * The options of the pictures that an address asks for.
 * @param {URLSearchParams} query
 * @returns {CurveOptions}
 */
function optionsIn(query) {
  return {
    x: query.get("x") === "seconds" ? "seconds" : "epoch",
    log: query.get("loss") === "log",
    bands: query.get("intervals") !== "off",
    seeds: query.get("seeds") === "on",
    published: query.get("published") === "on",
  };
}

/**
 * The part of the query that asks for these options; what is usual is left out.
 * @param {CurveOptions} options
 */
function addressOf({ x, log, bands, seeds, published }) {
  return {
    x: x === "seconds" ? x : "",
    loss: log ? "log" : "",
    intervals: bands ? "" : "off",
    seeds: seeds ? "on" : "",
    published: published ? "on" : "",
  };
}

/**
 * The factors besides the activation, with their values; of many groups, one level of each is drawn at first, so that
 * lines stay apart. A rate that was tuned goes with its group.
 * @param {Api.Curve[]} groups
 * @param {Api.StudyView} of
 * @returns {LevelChoice[]}
 */
function levelsOf(groups, { tuning }) {
  const paths = Object.keys(groups[0]?.factors ?? {}).filter(
    (path) => path !== "activation" && !(tuning && path === "optimizer.learning_rate"),
  );
  return paths.map((path) => {
    const values = [...new Set(groups.map(({ factors }) => valueText(factors[path])))];
    return { path, values, first: groups.length > MANY_GROUPS ? values[0] : ALL };
  });
}

/**
 * @param {{levels: LevelChoice[], chosen: Record<string, string>, onChange: (chosen: Record<string, string>) => void,
 *   shown: number, all: number}} props
 */
function Levels({ levels, chosen, onChange, shown, all }) {
  if (levels.length === 0) return null;
  return html`<div class="tools">${levels.map(
    ({ path, values, first }) => html`<label class="inline" key=${path}>${factorName(path)}
      <select onChange=${onText((text) => onChange({ ...chosen, [path]: text }))}>
        ${[ALL, ...values].map(
          (value) => html`<option value=${value} selected=${(chosen[path] ?? first) === value}>
          ${value || "all"}</option>`,
        )}
      </select></label>`,
  )}
    <span class="muted small-text" role="status">${shown === all ? "" : `${shown} of ${all} groups drawn`}</span>
      </div>`;
}

/**
 * @param {{groups: Api.Curve[], styles: Map<string, LineStyle>, hidden: Set<string>,
 *   onToggle: (label: string) => void}} props
 */
function Legend({ groups, styles, hidden, onToggle }) {
  return html`<div class="legend" role="group" aria-label="Groups drawn">${groups.map((group) => {
    const key = groupKey(group.factors);
    return html`<button type="button" class="small quiet" key=${key} aria-pressed=${!hidden.has(key)}
      onClick=${() => onToggle(groupLabel(group.factors))}>
      <${Swatch} style=${styles.get(key)} />${groupLabel(group.factors)}</button>`;
  })}</div>`;
}

/**
 * @param {Api.Curve[]} groups
 * @param {CurveOptions} options
 */
function captionOf(groups, options) {
  const most = Math.max(0, ...groups.flatMap((group) => group.n));
  const least = Math.min(most, ...groups.filter((group) => group.n.length).map((group) => Number(group.n.at(-1))));
  const n =
    most === 0
      ? ""
      : least === most
        ? `n = ${counted(most, "seed")}`
        : `n = ${least} to ${most} seeds at the ends (fewer where runs are under way or were lost)`;
  const band = options.bands ? "; band: 95 % t-interval of the mean, from 2 seeds on" : "";
  return n ? `Line: mean over seeds, ${n}${band}. Accuracies of training are taken with dropout on.` : "";
}

/** @param {{reference: Api.Reference}} props */
function Published({ reference }) {
  return html`<details><summary>Dashed: published, one run each without an interval</summary>
    <p class="small-text">${reference.source}</p>
    ${
      /** @type {[string, string[]][]} */ ([
        ["Defects", reference.defects],
        ["To mind when comparing", reference.comparability],
      ]).map(
        ([title, items]) =>
          items.length > 0 &&
          html`<h3>${title}</h3><ul class="small-text">${items.map((item) => html`<li>${item}</li>`)}</ul>`,
      )
    }
    ${
      reference.differs.length > 0 &&
      html`<p
      class="small-text">This study differs from the article’s protocol
        in: ${reference.differs.map(factorName).join(", ")}.</p>`
    }
  </details>`;
}
