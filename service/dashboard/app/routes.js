/** The pages by address. A page's module is loaded when it is first opened; no page imports this module. */

/** @type {[RegExp, () => Promise<{Page: Function}>][]} */
const ROUTES = [
  [/^\/(?:studies)?$/, () => import("./pages/studies/page.js")],
  [/^\/studies\/new$/, () => import("./pages/newstudy/page.js")],
  [/^\/studies\/(?<id>[^/]+)$/, () => import("./pages/study/page.js")],
  [/^\/experiments$/, () => import("./pages/experiments/page.js")],
  [/^\/experiments\/(?<id>[^/]+)$/, () => import("./pages/experiment/page.js")],
  [/^\/compare$/, () => import("./pages/compare/page.js")],
  [/^\/activations$/, () => import("./pages/activations/page.js")],
  [/^\/activations\/(?<name>[^/]+)$/, () => import("./pages/activation/page.js")],
  [/^\/workers$/, () => import("./pages/workers/page.js")],
];

/**
 * The page at a path, and the parameters in the path.
 * @param {string} pathname
 * @returns {{load: () => Promise<{Page: Function}>, params: Record<string, string>}|null} null where there is no page
 */
export function match(pathname) {
  for (const [pattern, load] of ROUTES) {
    const matched = pattern.exec(pathname);
    if (matched) return { load, params: { ...matched.groups } };
  }
  return null;
}
