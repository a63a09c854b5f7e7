// Rows of a list: j and k move, Enter opens, x chooses; what is chosen gets a bar of its own.
import { toast } from "./toast.js";

const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

function rows() {
  return [...document.querySelectorAll("#list tbody tr[data-id]")];
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("is-current"));
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[at]?.classList.remove("is-current");
  all[next].classList.add("is-current");
  all[next].querySelector("a")?.focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "nearest" });
}

/** The boxes by which rows are chosen, which are of no use without this script. */
function addBoxes() {
  const box = (cell, mark, label) => {
    if (!cell || cell.firstChild) return;
    const input = document.createElement("input");
    input.type = "checkbox";
    input.dataset[mark] = "";
    input.setAttribute("aria-label", label);
    cell.append(input);
  };
  box(document.querySelector("#list thead .cell--check"), "chooseAll", "Choose all rows");
  for (const row of rows()) box(row.querySelector(".cell--check"), "choose", `Choose ${row.querySelector("a").textContent.trim()}`);
}

function chosen() {
  return rows().filter((row) => row.querySelector("[data-choose]")?.checked);
}

function button(label, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "btn btn--sm";
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}

/** A choice of tags with what can be done with the one that is chosen. */
function tagging(list, some) {
  const group = document.createElement("span");
  group.className = "bulk__tags";
  const select = document.createElement("select");
  select.className = "form-group__select";
  select.setAttribute("aria-label", "Tag");
  for (const name of list.dataset.tags.split(",")) select.append(new Option(name, name));
  const send = async (remove) => {
    const body = new URLSearchParams({ ids: some.map((row) => row.dataset.id).join(","), tag: select.value, remove });
    const answer = await fetch(list.dataset.tagAction, { method: "POST", body, headers: { accept: "application/json" } });
    if (!answer.ok) {
      toast((await answer.json().catch(() => ({}))).error ?? "The tag could not be changed.", "error");
      return;
    }
    const { changed } = await answer.json();
    toast(`${remove ? "Tag removed from" : "Tag added to"} ${changed} ${changed === 1 ? "record" : "records"}.`);
    list.dispatchEvent(new CustomEvent("list:changed", { bubbles: true }));
  };
  group.append(select, button("Add tag", () => send(false)), button("Remove tag", () => send(true)));
  return group;
}

function showBar() {
  const list = document.getElementById("list");
  list.querySelector(".bulk")?.remove();
  const some = chosen();
  for (const row of rows()) row.classList.toggle("is-chosen", some.includes(row));
  if (!some.length) return;
  const bar = document.createElement("div");
  bar.className = "bulk";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Selected rows");
  const count = document.createElement("b");
  count.textContent = `${some.length} selected`;
  bar.append(count);
  const mails = some.flatMap((row) => [...row.querySelectorAll('a[href^="mailto:"]')]).map((link) => link.textContent);
  if (mails.length) bar.append(button("Copy e-mail addresses", () => copy(mails.join("; "), `${mails.length} addresses copied.`)));
  const names = some.map((row) => row.querySelector("a").textContent.trim());
  bar.append(button("Copy names", () => copy(names.join("\n"), `${names.length} names copied.`)));
  if (list.dataset.csvChosen) {
    const link = document.createElement("a");
    link.className = "btn btn--sm";
    link.href = list.dataset.csvChosen + encodeURIComponent(some.map((row) => row.dataset.id).join(","));
    link.textContent = "CSV";
    bar.append(link);
  }
  if (list.dataset.bulk) {
    const link = document.createElement("a");
    link.className = "btn btn--sm";
    link.href = `${list.dataset.bulk}?ids=${some.map((row) => row.dataset.id).join(",")}`;
    link.textContent = list.dataset.bulkWords;
    bar.append(link);
  }
  if (list.dataset.tagAction) bar.append(tagging(list, some));
  bar.append(button("Clear", () => choose(rows(), false)));
  list.append(bar);
}

async function copy(text, message) {
  try {
    await navigator.clipboard.writeText(text);
    toast(message);
  } catch {
    toast("The browser did not allow copying.", "error");
  }
}

function choose(some, wanted) {
  for (const row of some) row.querySelector("[data-choose]").checked = wanted;
  showBar();
}

/** A table that fits keeps its headings in sight; one that does not scrolls sideways in its card. */
function fit() {
  for (const wrapper of document.querySelectorAll(".table-wrapper--list")) {
    wrapper.classList.remove("is-fitting");
    wrapper.classList.toggle("is-fitting", wrapper.scrollWidth <= wrapper.clientWidth);
  }
}

const LEFT = "codex:row";

/** Which row somebody leaves the list by, so that the way back ends there. */
function leave(row) {
  for (const other of rows()) other.classList.toggle("is-current", other === row);
  sessionStorage.setItem(LEFT, JSON.stringify([location.pathname + location.search, row.dataset.id]));
}

function comeBack() {
  const [address, id] = JSON.parse(sessionStorage.getItem(LEFT) ?? "[]");
  const [arrival] = performance.getEntriesByType("navigation");
  if (address !== location.pathname + location.search || arrival?.type !== "back_forward") return;
  const row = rows().find((one) => one.dataset.id === id);
  row?.classList.add("is-current");
  row?.querySelector("a")?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "center" });
}

export function startRows() {
  addBoxes();
  comeBack();
  fit();
  window.addEventListener("resize", fit);
  document.addEventListener("list:shown", () => {
    addBoxes();
    fit();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose]")) showBar();
    if (event.target.matches("[data-choose-all]")) choose(rows(), event.target.checked);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector(".modal.active")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x") {
      const row = document.querySelector("#list tr.is-current");
      const box = row?.querySelector("[data-choose]");
      if (box) choose([row], !box.checked);
    } else if (event.key === "n") document.querySelector("[data-new]")?.click();
    else return;
    event.preventDefault();
  });
  // A click beside the link opens the row too, unless text is being selected.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("#list tbody tr[data-id]");
    if (row && !event.target.closest("button, input, details, summary")) leave(row);
    if (!row || event.target.closest("a, button, input, details, summary") || String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(row.querySelector("a").href);
    else location.href = row.querySelector("a").href;
  });
}
