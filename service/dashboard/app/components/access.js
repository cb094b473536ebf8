/** What the key of this browser may do. */
import { useFeed } from "../data/store.js";

/** True where it may change what there is; without keys, everybody may. */
export function useMayChange() {
  const { data } = useFeed("/me");
  return data !== undefined && data.role !== "viewer";
}
