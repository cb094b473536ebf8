/** The measures of a layer that the page shows. */

/** @typedef {[keyof Api.LayerView, string, string, string]} Measure its name, title, explanation and scale */

/** @type {Measure[]} */
export const MEASURES = [
  ["zero_share", "Zeros", "share of outputs that are exactly 0", "share"],
  ["saturated_share", "Saturated", "share of outputs where the function has flattened", "share"],
  ["dead_share", "Dead units", "share of units flat and below 0 for every image of the probe", "share"],
  ["inactive_share", "Inactive units", "share of units never above 0", "share"],
  ["gradient_rms", "Gradient", "root mean square per weight, before L2", "log"],
  ["update_ratio", "Update to weight", "size of the last step against the weights", "log"],
  ["mean_after", "Mean output", "mean after the activation", "linear"],
  ["sd_after", "Spread of outputs", "standard deviation after the activation", "linear"],
];
