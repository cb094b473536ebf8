/** The figures of one experiment per epoch, fetched once and then by what has changed. */
import { useFeed } from "../../data/store.js";

/** @returns {import("../../data/store.js").Snapshot} with `data.items` in the order of epochs */
export const useEpochs = (experiment) =>
  useFeed(`/experiments/${experiment.id}/metrics`, null, experiment.revision, mergeRows);

/** A resumed attempt repeats epochs: those after `valid_through_epoch` are dropped, then what came is put in by epoch, and
 * by layer where rows have one. */
export function mergeRows(old, answer) {
  const key = (row) => `${row.epoch} ${row.layer ?? ""}`;
  const kept = new Map(
    old.items.filter(({ epoch }) => epoch <= answer.valid_through_epoch).map((row) => [key(row), row]),
  );
  for (const row of answer.items) kept.set(key(row), row);
  return {
    ...answer,
    items: [...kept.values()].sort((a, b) => a.epoch - b.epoch || (a.position ?? 0) - (b.position ?? 0)),
  };
}
