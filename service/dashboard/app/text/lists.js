/** Lists as people type and read them: of values, and of seeds with their ranges. */

/** @param {string} text */
const valueOf = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

/**
 * "1, 2 max" -> [1, 2, "max"]: what is no number stays text, which the server checks.
 * @param {string} text
 */
export const listOf = (text) =>
  text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map(valueOf);

/**
 * "0-2, 7" -> [0, 1, 2, 7]. A range is cut where the server would refuse so many anyway.
 * @param {string} text
 */
export function seedsOf(text) {
  return text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .flatMap((part) => {
      const [, low, high] = /^(\d+)[-–](\d+)$/.exec(part) ?? [];
      if (low === undefined || Number(high) < Number(low)) return [valueOf(part)];
      return Array.from({ length: Math.min(1001, Number(high) - Number(low) + 1) }, (_, index) => Number(low) + index);
    });
}

const LONG_RUN = 5;

/**
 * Seeds in ascending order, of a long run only its ends: "0 to 99, 1000".
 * @param {number[]} seeds
 */
export function seedsText(seeds) {
  /** @type {number[][]} */
  const runs = [];
  for (const seed of [...seeds].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.at(-1) === seed - 1) last.push(seed);
    else runs.push([seed]);
  }
  return runs.map((run) => (run.length > LONG_RUN ? `${run[0]} to ${run.at(-1)}` : run.join(", "))).join(", ");
}

/**
 * "baseline, to check" -> ["baseline", "to check"].
 * @param {string} text
 */
export const tagsOf = (text) => [
  ...new Set(
    text
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
  ),
];
