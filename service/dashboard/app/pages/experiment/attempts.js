/** The attempts at an experiment: their workers, times, outcomes and logs. */
import { onCheck } from "../../core/events.js";
import { html, useLayoutEffect, useRef, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { clock, counted, duration } from "../../text/format.js";
import { Loaded, useNow } from "../../components/notices.js";

const LOG_MS = 2000;
const NEARLY_PX = 24; // so close to its end, a log is at it
/** @type {Record<string, string>} */
const WORDS = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  released: "released by its worker, with a checkpoint",
  lost: "lost: its worker fell silent",
};
/** @type {Record<string, string>} */
const BADGES = { succeeded: "succeeded", failed: "failed", lost: "failed", cancelled: "cancelled" };

/** @param {{one: Api.ExperimentView}} props */
export function Attempts({ one }) {
  const feed = useFeed(`/experiments/${one.id}/attempts`, null, one.revision);
  return html`<section class="card stack" aria-labelledby="attempts-title"><h2 id="attempts-title">Attempts</h2>
    <${Loaded} feed=${feed} what="the attempts">${(/** @type {Api.AttemptsView} */ { items }) =>
      items.length === 0
        ? html`<p class="muted">No worker has taken it yet.</p>`
        : html`<ol class="timeline" reversed>
          ${[...items].reverse().map(
            (attempt, index) => html`<${Attempt} key=${attempt.attempt} one=${one}
            attempt=${attempt} isNewest=${index === 0} />`,
          )}</ol>`}<//>
  </section>`;
}

/** @param {{one: Api.ExperimentView, attempt: Api.AttemptView, isNewest: boolean}} props */
function Attempt({ one, attempt, isNewest }) {
  const isRunning = attempt.ended_at === null;
  const now = useNow(isRunning ? 1000 : null);
  const seconds = ((isRunning ? now : Date.parse(attempt.ended_at ?? "")) - Date.parse(attempt.started_at)) / 1000;
  const took = isRunning ? `for ${duration(Math.max(0, Math.round(seconds)))}` : `took ${duration(seconds)}`;
  const outcome = WORDS[attempt.outcome ?? ""] ?? attempt.outcome;
  return html`<li value=${attempt.attempt}>
    <p><span class=${`badge ${isRunning ? "running" : (BADGES[attempt.outcome ?? ""] ?? "")}`}>
      ${isRunning ? "running" : attempt.outcome}</span>
      ${" "}${clock(attempt.started_at)}, ${took}</p>
    <p class="small-text muted">
      ${!isRunning && `${outcome}; ${counted(attempt.epochs, "epoch")} done when it ended; `}by <code>${attempt.worker}
      </code></p>
    ${
      attempt.cause &&
      attempt.cause !== attempt.outcome &&
      html`<p class="wrong small-text">
      ${attempt.cause.replaceAll("_", " ")}${attempt.detail && `: ${attempt.detail}`}</p>`
    }
    ${isNewest && isRunning ? html`<${LiveLog} id=${one.id} />` : html`<${Log} text=${attempt.log_tail} />`}
  </li>`;
}

/**
 * The log of a running attempt. It stays at its end, as a terminal does, until the reader scrolls back.
 * @param {{id: string}} props
 */
function LiveLog({ id }) {
  const { data } = useFeed(`/experiments/${id}/log`, LOG_MS);
  const box = useRef(/** @type {any} */ (null));
  const [isFollowing, setFollowing] = useState(true);
  useLayoutEffect(() => {
    if (isFollowing) box.current.scrollTop = box.current.scrollHeight;
  }, [data, isFollowing]);
  const look = () =>
    setFollowing(box.current.scrollHeight - box.current.scrollTop - box.current.clientHeight < NEARLY_PX);
  return html`<div class="tools"><h3>Log</h3><label class="check small-text"><input type="checkbox"
      checked=${isFollowing} onChange=${onCheck(setFollowing)} /> follow its end</label></div>
    <pre class="log live" tabindex="0" ref=${box} onScroll=${look}>${data || "Nothing yet."}</pre>`;
}

/** @param {{text: string}} props */
function Log({ text }) {
  if (!text) return null;
  return html`<details><summary>Log</summary><pre class="log" tabindex="0">${text}</pre></details>`;
}
