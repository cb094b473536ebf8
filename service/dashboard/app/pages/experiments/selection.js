/** What is selected: single experiments, also of other pages and filters, or all that the filters leave. */
import { useState } from "../../core/html.js";

export const MOST_IDS = 1000; // the API takes no more by their ids

/** Kept while the reader looks at an experiment and comes back. @type {ReadonlySet<string>} */
let kept = new Set();

/**
 * @typedef {object} Selection
 * @property {ReadonlySet<string>} ids
 * @property {boolean} isWhole whether all that the filters leave is selected
 * @property {(ids: string[], isOn: boolean) => void} set
 * @property {(index: number, isRange: boolean, ids: string[]) => void} toggle with `isRange`, from the one before
 * @property {() => void} selectWhole
 * @property {() => void} clear
 */

/**
 * @param {string} filters a selection as a whole ends when they change
 * @returns {Selection}
 */
export function useSelection(filters) {
  const [ids, setIds] = useState(kept);
  const [whole, setWhole] = useState(/** @type {string | null} */ (null));
  const [last, setLast] = useState({ id: "", isOn: true });
  /** @param {ReadonlySet<string>} next */
  const keep = (next) => {
    kept = next;
    setIds(next);
    setWhole(null);
  };
  /** @param {string[]} changed @param {boolean} isOn */
  const set = (changed, isOn) => {
    const next = new Set(ids);
    for (const id of changed)
      if (isOn) next.add(id);
      else next.delete(id);
    keep(next);
  };
  return {
    ids,
    isWhole: whole === filters,
    set,
    toggle: (index, isRange, listed) => {
      const from = isRange ? listed.indexOf(last.id) : -1;
      const isOn = from < 0 ? !ids.has(listed[index]) : last.isOn;
      set(from < 0 ? [listed[index]] : listed.slice(Math.min(from, index), Math.max(from, index) + 1), isOn);
      setLast({ id: listed[index], isOn });
    },
    selectWhole: () => {
      keep(new Set());
      setWhole(filters);
    },
    clear: () => keep(new Set()),
  };
}
