/** The plan of a study before it is submitted: its size and the time it would take, from a dry run. */
import { html, useEffect, useState } from "../../core/html.js";
import { post } from "../../data/api.js";
import { count, counted, duration } from "../../text/format.js";
import { AsRequest } from "../../components/asrequest.js";

const PAUSE_MS = 300;

/**
 * The dry run of a body, renewed when the typing pauses. The old plan stays until the next is there.
 * @param {object} body
 */
export function usePlan(body) {
  const text = JSON.stringify(body);
  const [state, setState] = useState({ plan: null, error: null, isAsking: true });
  useEffect(() => {
    const abort = new AbortController();
    setState((old) => ({ ...old, isAsking: true }));
    const timer = setTimeout(() => {
      post("/studies?dry_run=true", JSON.parse(text), { signal: abort.signal }).then(
        (plan) => setState({ plan, error: null, isAsking: false }),
        (error) => !abort.signal.aborted && setState({ plan: null, error, isAsking: false }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return state;
}

/** @param {{plan: any, body: object, error: any, isAsking: boolean, isSending: boolean}} props */
export function PlanPanel({ plan, body, error, isAsking, isSending }) {
  const label = plan && !error ? `Train ${counted(plan.experiments, "experiment")}` : "Train";
  return html`<aside class="card stack plan" aria-label="What this would take">
    <div class="plan-say" aria-live="polite" aria-busy=${isAsking}>
      ${
        error
          ? html`<${Problems} error=${error} />`
          : plan
            ? html`<${Size} plan=${plan} />`
            : html`<p
        class="muted">Counting …</p>`
      }
    </div>
    <button class="primary" disabled=${isSending || isAsking || Boolean(error)}>${isSending ? "Submitting …" : label}
      </button>
    <${AsRequest} resource="studies" body=${body} />
  </aside>`;
}

/** @param {{plan: Api.StudyPlan}} props */
function Size({ plan }) {
  const ranked = plan.experiments - plan.tuning_experiments;
  const seeds = ranked / plan.cells;
  const workers = plan.workers === 0 ? "no worker is alive" : `on ${counted(plan.workers, "worker")}`;
  const trials =
    plan.tuning_experiments > 0 &&
    `: ${count(ranked)}, and ${count(plan.tuning_experiments)} before them that try learning rates`;
  return html`<p class="big">${counted(plan.experiments, "experiment")}</p>
    <p class="muted">
      ${counted(plan.cells, "combination")}${Number.isInteger(seeds) && ` × ${counted(seeds, "seed")}`}${trials}</p>
    <p class="big">${plan.seconds === null ? "Time unknown" : `about ${duration(plan.seconds)}`}</p>
    <p class="muted">${plan.seconds === null ? plan.basis : html`${workers}, once they start. ${plan.basis}`}</p>
    ${plan.detectable.map(
      ({ grid, text }) => html`<p class="small-text" key=${grid}>${grid !== null && html`<strong>${grid}</strong>: `}
        ${text}</p>`,
    )}`;
}

/** @param {{error: import("../../data/api.js").ApiError}} props */
function Problems({ error }) {
  const listed = error.errors.length ? error.errors : [{ detail: error.message }];
  return html`<p class="wrong"><strong>Not ready to submit</strong></p>
    <ul class="wrong">${listed.slice(0, 5).map(
      (one) =>
        html`<li>${
          one.pointer &&
          html`<code>${one.pointer}
      </code> `
        }${one.detail}</li>`,
    )}</ul>
    ${listed.length > 5 && html`<p>and ${listed.length - 5} more</p>`}`;
}
