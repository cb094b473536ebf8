/** The experiments of a study, folded away where they are many. */
import { html, useState } from "../html.js";
import { counted } from "../format.js";
import { useFeed } from "../store.js";
import { ExperimentTable } from "./experimenttable.js";
import { Loaded } from "./notices.js";

const FEW = 15;
const PER_PAGE = 100;

export function StudyExperiments({ study }) {
  const [isOpen, setOpen] = useState(study.experiments <= FEW);
  return html`<details class="card" open=${isOpen} onToggle=${(event) => setOpen(event.target.open)}>
    <summary><h2>${counted(study.experiments, "experiment")}</h2></summary>
    ${isOpen && html`<${Listed} study=${study} />`}
  </details>`;
}

function Listed({ study }) {
  const feed = useFeed(`/experiments?study=${study.id}&limit=${PER_PAGE}`, null, study.revision);
  return html`<${Loaded} feed=${feed} what="the experiments">${(data) => html`<${ExperimentTable} items=${data.items} caption="Experiments of the study" />
    ${data.next_cursor && html`<p><a href=${`/experiments?study=${study.id}`}>All ${study.experiments}</a></p>`}`}<//>`;
}
