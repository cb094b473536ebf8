/** A stored spec, with all its defaults, as people say it. */
import { factorName, valueText } from "./labels.js";

/** What the main article did, where a spec may differ from it in a way that matters to a reader. */
// prettier-ignore
const USUAL = {
  dataset: "mnist", epochs: 20, batch_size: 128, "dropout.conv": 0.25, "dropout.dense": 0.5, train_samples: null, classes: null,
  "optimizer.name": "adam", "optimizer.learning_rate": 0.001, "optimizer.momentum": 0, "optimizer.l2": 1e-5, schedule: "reduce_on_plateau",
  "model.conv_channels": [32, 64], "model.dense_layers": 1, "model.dense_units": 128, "model.batch_norm": true, "model.pool": "max", "model.init": "glorot_uniform",
  output: "softmax", precision: "auto", validation_fraction: 0.1,
};

/**
 * @param {Record<string, any>} spec
 * @param {string} path
 */
const at = (spec, path) => path.split(".").reduce((inner, name) => inner?.[name], spec);

/**
 * In what a spec differs from the article's protocol, data set and epochs always.
 * @param {Record<string, any>} spec
 */
export function specText(spec) {
  const others = Object.entries(USUAL).filter(
    ([path, usual]) => path !== "dataset" && path !== "epochs" && valueText(at(spec, path)) !== valueText(usual),
  );
  return [spec.dataset, ...others.map(([path]) => `${factorName(path)} ${valueText(at(spec, path))}`)].join(", ");
}
