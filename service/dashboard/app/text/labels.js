/** The names of studies, groups and factors on the pages. */

/** @type {Record<string, string>} */
const SHORT = {
  "optimizer.learning_rate": "learning rate",
  "optimizer.name": "optimizer",
  "optimizer.l2": "L2",
  batch_size: "batch size",
  "model.conv_channels": "convolutions",
  "model.dense_layers": "dense layers",
  "model.batch_norm": "batch norm",
  "model.init": "initialisation",
  dataset: "data set",
  train_samples: "training images",
  "dropout.conv": "dropout (conv)",
  "dropout.dense": "dropout (dense)",
  "model.pool": "pooling",
};

/**
 * A spec path in words: `optimizer.learning_rate` -> "learning rate".
 * @param {string} path
 */
export const factorName = (path) => SHORT[path] ?? path.replaceAll("_", " ").replaceAll(".", " ");

/**
 * A factor's value as text, whatever its kind: {"conv": 0.1, "dense": 0.5} -> "conv 0.1, dense 0.5".
 * @param {any} value
 * @returns {string}
 */
export function valueText(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(valueText).join(", ") || "none";
  if (value.formula || value.name) return value.formula ?? value.name;
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${valueText(inner)}`)
    .join(", ");
}

/**
 * The group of a comparison in words: the activation first, then the other factors by name.
 * @param {Factors} factors
 */
export function groupLabel(factors) {
  const { activation, ...others } = factors;
  const rest = Object.entries(others).map(([path, value]) => `${factorName(path)} ${valueText(value)}`);
  return [...(activation === undefined ? [] : [activation]), ...rest].join(", ") || "all";
}

/**
 * A key of factors that is the same in whatever order they come.
 * @param {Factors} factors
 */
export const groupKey = (factors) => JSON.stringify(Object.entries(factors).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The factors of a study in a line: "relu, swish; dropout 0, 0.25".
 * @param {Api.StudyView} study
 */
export function gridText(study) {
  if (study.grids.length) return `${study.grids.length} grids: ${study.grids.map(({ name }) => name).join(", ")}`;
  const parts = Object.entries(study.factors).map(([path, values]) => {
    const listed = values.map(valueText).join(", ");
    return values.length > 5 || listed.length > 60
      ? `${values.length} × ${factorName(path)}`
      : path === "activation"
        ? listed
        : `${factorName(path)} ${listed}`;
  });
  return parts.join("; ") || "one cell";
}

/**
 * The number of combinations of a study; of several grids, their sum, which may count some twice.
 * @param {Api.StudyView} study
 */
export function cellsOf(study) {
  /** @param {Record<string, any[]>} factors */
  const size = (factors) => Object.values(factors).reduce((product, values) => product * values.length, 1);
  return study.grids.length
    ? study.grids.reduce((sum, grid) => sum + size({ ...study.factors, ...grid.factors }), 0)
    : size(study.factors);
}

/**
 * A study's name, or its factors where it has none.
 * @param {Api.StudyView} study
 */
export const studyTitle = (study) => study.name ?? gridText(study);

/**
 * True while the ranking of a study waits for its learning rates.
 * @param {Api.StudyView} of
 */
export const isTuning = ({ tuning, cancelled_at: cancelled }) =>
  tuning !== null && tuning.tuned_at === null && cancelled === null;

/**
 * The state of a study, which is also the class of its badge.
 * @param {Api.StudyView} study
 */
export function studyState(study) {
  if (isTuning(study)) return "tuning";
  if (study.finished) return study.cancelled_at ? "cancelled" : study.progress.succeeded === 0 ? "failed" : "succeeded";
  if (study.cancelled_at) return "cancelling";
  return study.progress.running > 0 ? "running" : "queued";
}

export const STATE_WORDS = {
  succeeded: "finished",
  failed: "nothing succeeded",
  cancelled: "cancelled",
  cancelling: "cancelling",
  running: "running",
  tuning: "tuning",
  queued: "queued",
};
