/** The tuning of learning rates before a study is ranked, and the rates that it chose. */
import { html, useMemo } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { counted, percent, plain } from "../../text/format.js";
import { groupKey, groupLabel, isTuning } from "../../text/labels.js";
import { seedsText } from "../../text/lists.js";
import { groupStyles, useColours } from "../../charts/palette.js";
import { RateChart } from "../../charts/ratechart.js";
import { Loaded } from "../../components/notices.js";
import { ProgressBar, progressText } from "../../components/progress.js";
import { GroupName } from "../../components/swatch.js";

const BUSY_MS = 1000;
const MOST_LINES = 12;

/** @param {{study: Api.StudyView & {tuning: Api.TuningView}}} props */
export function Tuning({ study }) {
  const { tuning } = study;
  return html`<section class="card stack" aria-labelledby="tuning-title">
    <div class="card-head"><h2 id="tuning-title">Learning rates</h2>
      <a class="small-text" href=${`/studies/${tuning.study}`}>The trials, a study of their own</a></div>
    ${
      tuning.choices.length > 0
        ? html`<${Chosen} tuning=${tuning} />`
        : isTuning(study)
          ? html`<${Trying}
      tuning=${tuning} />`
          : html`<p>It was cancelled before the rates were chosen: nothing is ranked.</p>`
    }
    <p class="small-text muted">Each combination
      tries ${tuning.rates.map((rate) => plain(rate)).join(", ")} over ${counted(tuning.seeds.length, "seed")} of its
      own (${seedsText(tuning.seeds)}),
      which the ranking does not see. The highest mean validation accuracy at the last epoch is taken; of equal ones the
        lower validation loss,
      then the smaller rate. The means have no interval here and separate nothing: they choose.</p>
  </section>`;
}

/**
 * A notice on the page of a study that tries rates for another one.
 * @param {{study: Api.StudyView}} props
 */
export function TunesFor({ study }) {
  return html`<p class="notice">It tries learning rates for <a
    href=${`/studies/${study.tunes}`}>another study</a>, which chooses by validation accuracy and not by the ranking
      below.</p>`;
}

/** @param {{tuning: Api.TuningView}} props */
function Trying({ tuning }) {
  const feed = useFeed(`/studies/${tuning.study}`, (data) => (data?.finished ? null : BUSY_MS));
  return html`<${Loaded} feed=${feed} what="the trials">${(
    /** @type {Api.StudyView} */ trials,
  ) => html`<div class="study-progress">
    <${ProgressBar} progress=${trials.progress} />
    <p role="status">
      ${progressText(trials)}. ${
        trials.finished ? "The rates are being chosen." : "The ranking is queued when all rates have been tried."
      }</p></div>`}<//>`;
}

/** @param {{tuning: Api.TuningView}} props */
function Chosen({ tuning }) {
  const { dark } = useColours();
  const styles = useMemo(
    () =>
      groupStyles(
        tuning.choices.map(({ factors }) => factors),
        dark,
      ),
    [tuning.choices, dark],
  );
  const lines = useMemo(
    () => tuning.choices.map((choice) => ({ choice, style: styles.get(groupKey(choice.factors)) })),
    [tuning.choices, styles],
  );
  return html`<${Warnings} tuning=${tuning} />
    ${
      lines.length <= MOST_LINES &&
      html`<figure><figcaption>Mean validation accuracy at the last epoch, %</figcaption>
      <${RateChart} lines=${lines} /></figure>`
    }
    <div class="scroll tall" tabindex="0" role="region" aria-label="Rates tried"><table class="cards">
      <thead><tr><th scope="col">Group</th><th scope="col" class="number">Chosen rate</th>
        ${tuning.rates.map((rate) => html`<th scope="col" class="number">at ${plain(rate)}</th>`)}</tr></thead>
      <tbody>${tuning.choices.map(
        (choice) => html`<${Row} key=${groupKey(choice.factors)} choice=${choice}
        rates=${tuning.rates} />`,
      )}</tbody></table></div>`;
}

/** @param {{choice: Api.Choice, rates: number[]}} props */
function Row({ choice, rates }) {
  /** @param {number} rate */
  const score = (rate) => choice.scores.find(({ learning_rate: tried }) => tried === rate);
  return html`<tr><th scope="row"><${GroupName} factors=${choice.factors} /></th>
    <td data-label="Chosen rate" class="number">${choice.learning_rate === null ? "none" : plain(choice.learning_rate)}
      </td>
    ${rates.map(
      (rate) => html`<td data-label=${`at ${plain(rate)}`} class="number">
      <${Score} score=${score(rate)} isChosen=${rate === choice.learning_rate} /></td>`,
    )}</tr>`;
}

/** @param {{score: Api.RateScore | undefined, isChosen: boolean}} props */
function Score({ score, isChosen }) {
  if (!score) return "–";
  const figure = percent(score.validation_accuracy);
  return html`${isChosen ? html`<strong>${figure}</strong>` : figure}
    <span class="small-text muted"> n = ${score.n}${score.n_diverged > 0 && `, ${score.n_diverged} diverged`}</span>`;
}

/** @param {{tuning: Api.TuningView}} props */
function Warnings({ tuning }) {
  /** @param {Api.Choice[]} choices */
  const named = (choices) => choices.map(({ factors }) => groupLabel(factors)).join("; ");
  /** @type {[string, number][]} */
  const edges = [
    ["least", Math.min(...tuning.rates)],
    ["greatest", Math.max(...tuning.rates)],
  ];
  const atEdge = edges.map(([end, rate]) => ({
    end,
    choices: tuning.choices.filter((choice) => choice.at_edge && choice.learning_rate === rate),
  }));
  const leftOut = tuning.choices.filter((choice) => choice.learning_rate === null);
  return html`${
    leftOut.length > 0 &&
    html`<div class="notice warn">
    <strong>Not ranked:</strong> ${named(leftOut)}. No rate worked with every seed.</div>`
  }
    ${atEdge.map(
      ({ end, choices }) =>
        choices.length > 0 &&
        html`<div class="notice warn" key=${end}>
      <strong>At the edge:</strong> for ${named(choices)} the best rate is the ${end} that was tried. A better one may
        lie beyond; tune again with rates further out.</div>`,
    )}`;
}
