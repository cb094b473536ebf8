/** The page that compares chosen runs. The address names them, and what the reader has chosen to see. */
import { html, useMemo } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { counted } from "../../text/format.js";
import { StatusBadge } from "../../components/statusbadge.js";
import { Empty, Failure, Loading, NotYet } from "../../components/notices.js";
import { Swatch } from "../../components/swatch.js";
import { useColours } from "../../charts/palette.js";
import { Classes } from "./classes.js";
import { Curves } from "./curves.js";
import { Figures } from "./figures.js";
import { Pair } from "./pair.js";
import { runsOf, useExperiments } from "./runs.js";
import { Specs } from "./specs.js";

const MOST = 10;
const ID = /^[0-9a-f-]{36}$/i;

export function Page() {
  useTitle("Compare runs");
  const [query, change] = useQuery();
  const named = [...new Set(query.getAll("id"))];
  const ids = named.filter((id) => ID.test(id));
  const shown = ids.slice(0, MOST);
  return html`<p class="crumb"><a href="/experiments">Experiments</a></p>
    <div class="page-head"><div><h1>Compare runs</h1>
      <p>${shown.length > 1 ? `${counted(shown.length, "run")}, each of one seed.` : "Runs over each other."}</p></div>
    </div>
    ${
      ids.length > MOST &&
      html`<div class="notice warn"><strong>The address names ${ids.length} runs.</strong>
      <p>This page compares ${MOST} at most, and shows the first ${MOST}. A study compares any number by their
        means.</p>
      </div>`
    }
    ${
      ids.length < named.length &&
      html`<div class="notice bad" role="alert"><strong>The address has what is no id of an experiment.</strong>
      <p>An id has 36 letters and digits, as in the address of an experiment’s page.</p></div>`
    }
    ${
      shown.length < 2
        ? html`<${Empty} title=${shown.length === 1 ? "One run alone compares with nothing" : "No runs are chosen yet"}>
        <p>Choose two or more among <a href="/experiments">the experiments</a>.</p><//>`
        : html`<${Compared} key=${shown.join()} ids=${shown} query=${query} change=${change} />`
    }`;
}

/**
 * @param {{ids: string[], query: URLSearchParams, change: import("./runs.js").Shown["change"]}} props `ids` are always
 *   the same
 */
function Compared({ ids, query, change }) {
  const feeds = useExperiments(ids);
  const { dark } = useColours();
  const ones = feeds.map(({ data }) => data).filter(Boolean);
  const version = ones.map(({ id, revision }) => `${id} ${revision}`).join();
  const runs = useMemo(() => runsOf(ones, dark), [version, dark]);
  const failed = feeds.flatMap(({ error, data }, at) =>
    error && !error.passing && !data ? [{ id: ids[at], error }] : [],
  );
  const passing = feeds.find(({ error, data }) => error?.passing && !data)?.error;
  const isWaiting = ones.length + failed.length < ids.length;
  /** @param {string[]} left */
  const keep = (left) => change({ id: left });
  const shown = { ids, runs, query, change };
  // An epoch changes neither specs nor results.
  const states = runs.map(({ one, label }) => `${one.id} ${one.status} ${label}`).join();
  const settled = useMemo(
    () => html`<${Specs} ...${shown} /><${Classes} ...${shown} /><${Pair} ...${shown} />`,
    [states, query.toString(), dark],
  );
  return html`<div class="stack">
    ${failed.map(
      ({ id, error }) => html`<div class="stack" key=${id}><${Failure} error=${error} />
      <p><button type="button" class="small" onClick=${() => keep(ids.filter((other) => other !== id))}>
        Compare the others</button></p></div>`,
    )}
    ${
      isWaiting
        ? passing
          ? html`<${NotYet} what="the runs" error=${passing} />`
          : html`<${Loading} what="the runs" />`
        : html`<${Chosen} ...${shown} keep=${keep} />
        ${runs.length > 1 && html`<${Curves} ...${shown} /><${Figures} ...${shown} />${settled}`}`
    }
  </div>`;
}

/**
 * The runs, as the key to all pictures below.
 * @param {import("./runs.js").Shown & {keep: (ids: string[]) => void}} props
 */
function Chosen({ runs, keep }) {
  const ids = runs.map(({ one }) => one.id);
  return html`<ul class="chosen-runs" aria-label="Runs">${runs.map(
    ({ one, label, style }) => html`<li key=${one.id}>
      <${Swatch} style=${style} /><a href=${`/experiments/${one.id}`}>${label}</a> <${StatusBadge} one=${one} />
      <button type="button" class="small quiet" aria-label=${`Leave out ${label}`}
        onClick=${() => keep(ids.filter((id) => id !== one.id))}>×</button></li>`,
  )}</ul>`;
}
