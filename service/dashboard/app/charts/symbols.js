/** The marks of lines, as SVG paths around the origin, about 7 wide: the same in charts and legends. */
/** @type {Record<string, string>} */
export const SYMBOLS = {
  circle: "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",
  rect: "M-3.2-3.2h6.4v6.4h-6.4z",
  triangle: "M0-4.2 4 3.4H-4z",
  diamond: "M0-4.6 4.4 0 0 4.6-4.4 0z",
};

/**
 * Return a function for `points.paths` of uPlot that draws a series' points with a symbol.
 * @param {string} name
 * @param {number} scale
 */
export function symbolPaths(name, scale) {
  const symbol = new Path2D(SYMBOLS[name]);
  return (
    /** @type {import("uplot")} */ plot,
    /** @type {number} */ index,
    /** @type {number} */ first,
    /** @type {number} */ last,
  ) => {
    const size = scale * devicePixelRatio;
    const fill = new Path2D();
    const isLog = plot.scales.y.distr === 3;
    for (let at = first; at <= last; at++) {
      const value = plot.data[index][at];
      if (value === null || value === undefined || (isLog && value <= 0)) continue;
      fill.addPath(symbol, {
        a: size,
        d: size,
        e: plot.valToPos(plot.data[0][at], "x", true),
        f: plot.valToPos(value, "y", true),
      });
    }
    return { fill, stroke: null, clip: null, flags: 0 };
  };
}
