/** Types that several of the pages' modules share. What the API sends is in api.d.ts. */

/** The value of each factor of a group, by its spec path. */
type Factors = Record<string, any>;

/** How a group is drawn in charts and legends; `dash` in pixels of the page. */
interface LineStyle {
  color: string;
  symbol: string;
  dash?: number[];
}

/** The page's colours as the canvas needs them, and whether the ground is dark. */
interface Colours {
  ink: string;
  muted: string;
  line: string;
  paper: string;
  surface: string;
  accent: string;
  good: string;
  bad: string;
  warn: string;
  dark: boolean;
}

/** What the reader has chosen to see of curves. */
interface CurveOptions {
  x: string;
  log: boolean;
  bands: boolean;
  seeds: boolean;
  published: boolean;
}

/** A function that the client has written: a formula with its parameters by name. */
interface FormulaChoice {
  formula: string;
  parameters: Record<string, Api.GivenParameterView>;
}
