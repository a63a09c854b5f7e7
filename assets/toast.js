// Short messages at the bottom left; they leave by themselves unless they are about a failure.

const STAY = 6000;

function container() {
  return document.getElementById("toasts");
}

function leave(element) {
  if (element.classList.contains("toast--error")) return;
  setTimeout(() => element.remove(), STAY);
}

/** Shows a message; `undo` is an optional function behind an Undo button. */
export function toast(text, kind = "info", undo = null) {
  const element = document.createElement("div");
  element.className = `toast toast--${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  element.append(words);
  addButton(element, undo);
  container()?.append(element);
  leave(element);
}

function addButton(element, undo = null) {
  const button = document.createElement("button");
  button.className = "btn btn--sm";
  button.type = "button";
  button.textContent = undo ? "Undo" : "Close";
  button.addEventListener("click", () => {
    element.remove();
    undo?.();
  });
  element.append(button);
}

/** Lets messages that came with the page leave too. */
export function startToasts() {
  for (const element of container()?.children ?? []) {
    addButton(element);
    leave(element);
  }
}
