/** The test images that one network gets wrong. */
import { onFold } from "../../core/events.js";
import { html, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { count, percent } from "../../text/format.js";
import { ImageGrid } from "../../components/imagegrid.js";
import { Loaded } from "../../components/notices.js";
import { Segments } from "../../components/segments.js";

/** @param {{one: Api.ExperimentView}} props */
export function Misclassified({ one }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details onToggle=${onFold(setOpen)}>
    <summary><h3>Images it gets wrong</h3> <span class="muted small-text">which of the test set</span></summary>
    ${isOpen && html`<${Listed} one=${one} />`}
  </details>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Listed({ one }) {
  const [which, setWhich] = useState("last");
  const feed = useFeed(`/experiments/${one.id}/misclassified?which=${which}`);
  return html`<div class="stack">
    <${Segments} label="Weights" value=${which} onChange=${setWhich} choices=${[
      ["last", "last epoch"],
      ["best", "best validation loss"],
    ]} />
    <${Loaded} feed=${feed} what="the images">${(
      /** @type {Api.Misclassified} */ { n, test_images: images, indices },
    ) => html`
      <p>${
        n === 0 ? "It gets every one right" : `${count(n)} of ${count(images)} test images (${percent(n / images)})`
      }; one run, n = 1.</p>
      ${n > 0 && html`<${ImageGrid} key=${which} of=${one} indices=${indices} label="Images it gets wrong" />`}`}<//>
    <p class="small-text muted">A number is an image’s place in the test set of <code>${one.spec.dataset}
      </code>, from 0${one.spec.classes ? ", of the chosen classes" : ""}.
      No result keeps what a single image was taken for; the confusion matrix has the sums.</p>
  </div>`;
}
