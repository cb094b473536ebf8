/** Preact and its templates, in one place. */
import { h } from "preact";
import htm from "htm";
import { ROOT, whole } from "./root.js";

export const html = htm.bind(ROOT ? rooted : h);
export { Fragment, render } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/**
 * An element whose addresses are below the root. Pages write them as if the service were at the root of its host.
 * @param {any} type
 * @param {any} props
 * @param {any[]} children
 */
function rooted(type, props, ...children) {
  const own = typeof type === "string" && props ? { ...props } : props;
  for (const name of ["href", "src"]) if (own !== props && own[name]?.startsWith("/")) own[name] = whole(own[name]);
  return h(type, own, ...children);
}
