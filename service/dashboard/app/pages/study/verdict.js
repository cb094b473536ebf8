/** The verdict of a comparison in sentences, as far as its tests go. */
import { counted } from "../../text/format.js";

/**
 * The summary of the comparison, and the number of experiments that are still to come.
 * @param {Api.Comparison} comparison
 */
export function verdictText({ groups, summary }) {
  const pending = groups.reduce((sum, group) => sum + group.n_pending, 0);
  return [...summary, ...(pending > 0 ? [`So far: ${counted(pending, "experiment")} to go.`] : [])].join(" ");
}
