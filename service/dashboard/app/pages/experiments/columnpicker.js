/** The choice of the table's columns. */
import { onCheck } from "../../core/events.js";
import { html } from "../../core/html.js";
import { RUN_COLUMNS, specColumns, USUAL_COLUMNS } from "../../components/experimentcolumns.js";

/**
 * @param {{items: Api.ExperimentView[], names: string[], onChange: (names: string[]) => void}} props `names`: of the
 *   columns that are shown, in their order
 */
export function ColumnPicker({ items, names, onChange }) {
  const groups = [
    { title: "Of the run", columns: RUN_COLUMNS },
    { title: "Of its spec", columns: specColumns(items) },
  ];
  /** @param {string} name @param {boolean} isOn */
  const choose = (name, isOn) => onChange(isOn ? [...names, name] : names.filter((other) => other !== name));
  return html`<details class="columns-choice"><summary class="button">Columns</summary>
    <div class="inset">
      ${groups.map(
        ({ title, columns }) =>
          html`<fieldset><legend>${title}</legend><div class="checks">${columns.map(
            ({ name, title: text, long }) => html`<label class="check" key=${name}><input type="checkbox"
            checked=${names.includes(name)} onChange=${onCheck((isOn) => choose(name, isOn))} />
            ${long ?? text}</label>`,
          )}</div></fieldset>`,
      )}
      <button type="button" class="small" onClick=${() => onChange(USUAL_COLUMNS.map(({ name }) => name))}>
        The usual columns</button>
    </div>
  </details>`;
}
