/** A stored spec, with all its defaults, in words. */
import { at, usualOf } from "../core/spec.js";
import { factorName, valueText } from "./labels.js";

/** The fields in which a difference from the main article matters to a reader, in the order of the text. */
const TOLD = [
  "batch_size",
  "dropout.conv",
  "dropout.dense",
  "train_samples",
  "classes",
  "optimizer.name",
  "optimizer.learning_rate",
  "optimizer.momentum",
  "optimizer.l2",
  "schedule",
  "model.conv_channels",
  "model.dense_layers",
  "model.dense_units",
  "model.batch_norm",
  "model.pool",
  "model.init",
  "output",
  "precision",
  "validation_fraction",
];

/**
 * The data set of a spec, and the fields that differ from the article's protocol.
 * @param {Record<string, any>} spec
 */
export function specText(spec) {
  const others = TOLD.filter((path) => valueText(at(spec, path)) !== valueText(usualOf(path)));
  return [spec.dataset, ...others.map((path) => `${factorName(path)} ${valueText(at(spec, path))}`)].join(", ");
}
