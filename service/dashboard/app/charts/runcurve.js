/** The figures of one run as a curve, such as curves of groups have. */

/**
 * @param {Api.EpochView[]} rows
 * @param {string} label of the line
 * @param {keyof Api.EpochView} field
 * @returns {import("./curves.js").PlottedCurve}
 */
export function runCurve(rows, label, field) {
  const none = rows.map(() => null);
  return {
    factors: { activation: label },
    epochs: rows.map(({ epoch }) => epoch),
    mean: rows.map((row) => /** @type {number | null} */ (row[field])),
    low: none,
    high: none,
    n: rows.map(() => 1),
    seconds: sums(rows.map((row) => row.seconds)),
    seeds: null,
  };
}

/**
 * The sum of the first, of the first two, and so on.
 * @param {number[]} values
 */
function sums(values) {
  let sum = 0;
  return values.map((value) => (sum += value));
}
