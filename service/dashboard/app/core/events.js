/** Handlers of events that are given what the element holds. */

/** @param {(text: string) => void} act */
export const onText = (act) => (/** @type {{currentTarget: HTMLInputElement | HTMLSelectElement}} */ event) =>
  act(event.currentTarget.value);

/** Does nothing while the input holds no number. @param {(number: number) => void} act */
export const onNumber =
  (act) =>
  (/** @type {{currentTarget: HTMLInputElement}} */ { currentTarget: input }) => {
    if (Number.isFinite(input.valueAsNumber)) act(input.valueAsNumber);
  };

/** @param {(isOn: boolean) => void} act */
export const onCheck = (act) => (/** @type {{currentTarget: HTMLInputElement}} */ event) =>
  act(event.currentTarget.checked);

/** @param {(index: number) => void} act */
export const onIndex = (act) => (/** @type {{currentTarget: HTMLSelectElement}} */ event) =>
  act(event.currentTarget.selectedIndex);

/** @param {(isOpen: boolean) => void} act */
export const onFold = (act) => (/** @type {{currentTarget: HTMLDetailsElement}} */ event) =>
  act(event.currentTarget.open);
