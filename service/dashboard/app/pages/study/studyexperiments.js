/** The experiments of a study, folded away where they are many. */
import { onFold } from "../../core/events.js";
import { html, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { counted } from "../../text/format.js";
import { ExperimentTable } from "../../components/experimenttable.js";
import { Loaded } from "../../components/notices.js";

const FEW = 15;
const PER_PAGE = 100;

/** @param {{study: Api.StudyView}} props */
export function StudyExperiments({ study }) {
  const [isOpen, setOpen] = useState(study.experiments <= FEW);
  return html`<details class="card" open=${isOpen} onToggle=${onFold(setOpen)}>
    <summary><h2>${counted(study.experiments, "experiment")}</h2></summary>
    ${isOpen && html`<${Listed} study=${study} />`}
  </details>`;
}

/** @param {{study: Api.StudyView}} props */
function Listed({ study }) {
  const all = `/experiments?study=${study.id}&archived=any`;
  const feed = useFeed(`${all}&limit=${PER_PAGE}`, null, study.revision);
  return html`<${Loaded} feed=${feed} what="the experiments">${(
    /** @type {Api.Page_ExperimentView_} */ data,
  ) => html`<${ExperimentTable} items=${data.items} caption="Experiments of the study" />
    ${data.next_cursor && html`<p><a href=${all}>All ${study.experiments}</a></p>`}`}<//>`;
}
