/** An editor of a formula and its parameters. The server checks it while it is typed; an error is under its column. */
import { onCheck, onNumber, onText } from "../core/events.js";
import { html, useEffect, useId, useState } from "../core/html.js";
import { post } from "../data/api.js";
import { bytes } from "../text/format.js";
import { FunctionPlot } from "../charts/functionplot.js";
import { activationStyle, useColours } from "../charts/palette.js";
import { Formula } from "./formula.js";
import { Properties } from "./properties.js";

const PAUSE_MS = 250;

/**
 * Ask the server to check a formula and its parameters when the typing pauses.
 * @param {string} formula
 * @param {FormulaChoice["parameters"]} parameters
 */
function usePreview(formula, parameters) {
  const [state, setState] = useState(
    /** @type {{preview: Api.PreviewView | null, error: any}} */ ({ preview: null, error: null }),
  );
  const body = JSON.stringify({ formula, parameters });
  useEffect(() => {
    if (!formula.trim()) {
      setState({ preview: null, error: null });
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      post("/activations/preview", JSON.parse(body), { signal: abort.signal }).then(
        (preview) => setState({ preview, error: null }),
        (error) => !abort.signal.aborted && setState((old) => ({ preview: old.preview, error })),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [body]);
  return state;
}

/**
 * @param {{value: FormulaChoice, onChange: (value: FormulaChoice) => void, onJudged?: (preview: Api.PreviewView | null)
 *   => void, compact?: boolean}} props `onJudged` is told the preview, or null while there is none.
 */
export function FormulaEditor({ value, onChange, onJudged, compact = false }) {
  const { preview, error } = usePreview(value.formula, value.parameters);
  const { dark } = useColours();
  const id = useId();
  const good = error || !value.formula.trim() ? null : preview;
  useEffect(() => onJudged?.(good), [good]);
  const color = activationStyle(value.formula, dark).color;
  return html`<div class="editor">
    <div class="stack">
      <div class="field">
        <label for=${id}>f(x) =</label>
        <input id=${id} value=${value.formula} spellcheck="false" autocomplete="off" autocapitalize="off"
          aria-invalid=${error ? "true" : "false"} aria-describedby=${`${id}-say`}
          onInput=${onText((text) => onChange({ ...value, formula: text }))} />
        <div id=${`${id}-say`} aria-live="polite">
          ${
            error
              ? html`<${FormulaError} formula=${value.formula} error=${error} />`
              : html`<p class="small-text muted">Numbers, x, named parameters, + − * / **, comparisons, and functions
                such as${" "}
                where, maximum, exp, log, tanh, sigmoid, softplus, erf, sin.</p>`
          }
        </div>
      </div>
      <${Parameters} parameters=${value.parameters}
        onChange=${(/** @type {FormulaChoice["parameters"]} */ parameters) => onChange({ ...value, parameters })} />
      ${good && html`<${Judgement} preview=${good} compact=${compact} />`}
    </div>
    <div>${
      preview
        ? html`<${FunctionPlot} curve=${preview.curve} color=${color} title=${preview.formula}
          height=${compact ? 220 : 300} />`
        : html`<div style=${{ height: compact ? "220px" : "300px" }}></div>`
    }</div>
  </div>`;
}

/** @param {{formula: string, error: import("../data/api.js").ApiError}} props */
function FormulaError({ formula, error }) {
  const problem = error.errors.find((one) => one.column) ?? error.errors[0];
  const message = problem?.detail ?? error.message;
  if (!problem?.column) return html`<p class="wrong">${message}</p>`;
  const at = problem.column - 1;
  return html`<div class="formula-error">
    <pre>${formula.slice(0, at)}<mark>${formula[at] ?? " "}</mark>${formula.slice(at + 1)}
${" ".repeat(at)}↑</pre>
    <p class="wrong">${message}</p>
  </div>`;
}

/**
 * @param {{parameters: FormulaChoice["parameters"], onChange: (parameters: FormulaChoice["parameters"]) => void}} props
 */
function Parameters({ parameters, onChange }) {
  const [name, setName] = useState("");
  const id = useId();
  const isFine = /^[a-z][a-z0-9_]*$/i.test(name) && !(name in parameters) && name !== "x";
  const add = () => {
    if (isFine) onChange({ ...parameters, [name]: { value: 1, learnable: false } });
    setName("");
  };
  const addOnEnter = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  };
  return html`<div class="parameters">
    ${Object.entries(parameters).map(([key, parameter]) => {
      /** @param {Partial<Api.GivenParameterView>} changes */
      const change = (changes) => onChange({ ...parameters, [key]: { ...parameter, ...changes } });
      const { [key]: _, ...others } = parameters;
      return html`<fieldset class="field" key=${key}>
        <label for=${`${id}-${key}`}><code>${key}</code></label>
        <input id=${`${id}-${key}`} type="number" step="any" value=${parameter.value}
          onInput=${onNumber((number) => Number.isFinite(number) && change({ value: number }))} />
        <label class="check small-text"><input type="checkbox" checked=${parameter.learnable}
          onChange=${onCheck((isOn) => change({ learnable: isOn }))} /> learn it in training</label>
        <button type="button" class="small quiet" onClick=${() => onChange(others)}>Remove ${key}</button>
      </fieldset>`;
    })}
    <div class="field">
      <label for=${id}>Add a parameter</label>
      <div class="tools">
        <input id=${id} placeholder="a" value=${name} size="6" style=${{ width: "6rem" }} autocapitalize="off"
          onInput=${onText(setName)}
          onKeyDown=${addOnEnter} />
        <button type="button" class="small" disabled=${!isFine} onClick=${add}>Add</button>
      </div>
    </div>
  </div>`;
}

/** @param {{preview: Api.PreviewView, compact: boolean}} props */
function Judgement({ preview, compact }) {
  const cost = preview.estimated_cost;
  return html`<div>
    <p><${Formula} latex=${`f(x) = ${preview.latex}`} text=${preview.formula} /></p>
    ${
      preview.derivative_latex &&
      html`<p class="muted"><${Formula} latex=${`f'(x) = ${preview.derivative_latex}`} text=${preview.derivative} />
        </p>`
    }
    ${
      preview.same_as
        ? html`<p>This is <a href=${`/activations/${preview.same_as}`}>${preview.same_as}
          </a>; it trains with that function's fast kernel.</p>`
        : html`<p class="small-text muted">Trained step by step: about ${cost.time_ratio} times ReLU's time (estimated),
          and${" "}
          ${bytes(cost.bytes_per_batch)} of intermediate tensors for a batch of 128 in the article's network.</p>`
    }
    ${!compact && html`<${Properties} properties=${preview.properties} />`}
  </div>`;
}
