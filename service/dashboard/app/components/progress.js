/** The progress of a study, as a bar and in words. */
import { html } from "../core/html.js";
import { count, counted, duration } from "../text/format.js";
import { isTuning } from "../text/labels.js";

const STATES = ["succeeded", "failed", "cancelled", "running", "queued"];

/**
 * @param {{progress: Record<string, number>}} props a bar with one part per status; in words for those who do not see
 *   it
 */
export function ProgressBar({ progress }) {
  const total = STATES.reduce((sum, state) => sum + progress[state], 0);
  const words =
    STATES.filter((state) => progress[state])
      .map((state) => `${count(progress[state])} ${state}`)
      .join(", ") || "nothing is queued yet";
  return html`<div class="progress" role="img" aria-label=${words} title=${words}>
    ${STATES.slice(0, 4).map(
      (state) => html`<span class=${state}
      style=${{ width: `${(100 * progress[state]) / Math.max(1, total)}%` }}></span>`,
    )}
  </div>`;
}

/**
 * The progress of a study in words: "12 of 15 experiments, 1 failed; about 2 min left".
 * @param {Api.StudyView} study
 */
export function progressText(study) {
  if (isTuning(study)) return "learning rates are tried first";
  const { progress, experiments, finished, eta_seconds: eta } = study;
  const ended = progress.succeeded + progress.failed + progress.cancelled;
  const wrong = ["failed", "cancelled"]
    .filter((state) => progress[state])
    .map((state) => `${count(progress[state])} ${state}`);
  const parts = [
    finished ? counted(experiments, "experiment") : `${count(ended)} of ${counted(experiments, "experiment")}`,
    ...wrong,
  ];
  return parts.join(", ") + (finished || eta === null ? "" : `; about ${duration(eta)} left`);
}
