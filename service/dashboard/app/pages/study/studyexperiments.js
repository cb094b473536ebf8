/** The experiments of a study, folded away where they are many. */
import { html, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { counted } from "../../text/format.js";
import { ExperimentTable } from "../../components/experimenttable.js";
import { Loaded } from "../../components/notices.js";

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
  return html`<${Loaded} feed=${feed} what="the experiments">${(
    data,
  ) => html`<${ExperimentTable} items=${data.items} caption="Experiments of the study" />
    ${data.next_cursor && html`<p><a href=${`/experiments?study=${study.id}`}>All ${study.experiments}</a></p>`}`}<//>`;
}
