/** The figures of one experiment per epoch, fetched once and then by what has changed. */
import { useFeed } from "./store.js";

/**
 * @typedef {{epoch: number, layer?: string, position?: number}} Row of an epoch, or of a layer in an epoch
 * @typedef {{items: Row[], valid_through_epoch: number}} Rows
 */

/**
 * @returns {import("./store.js").Snapshot} with `data.items` in the order of epochs
 * @param {Api.ExperimentView} experiment
 */
export const useEpochs = (experiment) =>
  useFeed(`/experiments/${experiment.id}/metrics`, null, experiment.revision, mergeRows);

/**
 * A resumed attempt repeats epochs: those after `valid_through_epoch` are dropped, then the new rows are merged by
 * epoch, and by layer where rows have one.
 * @param {Rows} old
 * @param {Rows} answer
 */
export function mergeRows(old, answer) {
  /** @param {Row} row */
  const key = (row) => `${row.epoch} ${row.layer ?? ""}`;
  const rows = new Map(
    old.items.filter(({ epoch }) => epoch <= answer.valid_through_epoch).map((row) => [key(row), row]),
  );
  for (const row of answer.items) rows.set(key(row), row);
  return {
    ...answer,
    items: [...rows.values()].sort((a, b) => a.epoch - b.epoch || (a.position ?? 0) - (b.position ?? 0)),
  };
}
