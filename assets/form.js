// Forms: Ctrl-Enter saves, Esc leaves, nothing typed is lost by accident, long pickers can be searched.

function serialise(form) {
  return new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)])).toString();
}

/** Watches a form until the signal, when there is one, says that it is gone. */
export function watch(form, signal) {
  const before = serialise(form);
  let leaving = false;
  const changed = () => serialise(form) !== before;
  form.addEventListener("submit", () => {
    leaving = true;
    // A second click must not save twice; the button is switched off after the form has been read.
    setTimeout(() => form.querySelector("[data-save]")?.setAttribute("disabled", ""), 0);
  });
  window.addEventListener("pageshow", () => form.querySelector("[data-save]")?.removeAttribute("disabled"), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && changed()) event.preventDefault();
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape" && !document.querySelector(".modal.active")) {
      form.querySelector("[data-leave]")?.click();
    }
  }, { signal });
  // What is wrong comes first, else the part that the address names.
  const wrong = form.querySelector('[aria-invalid="true"]');
  const named = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  const part = form.contains(named) ? named : null;
  (wrong ?? (part ?? form).querySelector("input:not([type=hidden]), select, textarea"))?.focus();
}

export function searchable(picker) {
  const labels = [...picker.querySelectorAll("label")];
  if (labels.length < 8) return;
  const field = document.createElement("input");
  field.type = "search";
  field.className = "form-group__input";
  field.placeholder = "Type to narrow the list";
  field.setAttribute("aria-label", `${picker.dataset.picker}: type to narrow the list`);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const label of labels) {
      const text = label.textContent.toLowerCase();
      label.hidden = !label.querySelector("input").checked && !words.every((word) => text.includes(word));
    }
  });
  picker.before(field);
}

export function startForms() {
  for (const form of document.querySelectorAll("form[data-form]")) watch(form);
  for (const picker of document.querySelectorAll("[data-picker]")) searchable(picker);
  // What cannot be undone asks first.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
}
