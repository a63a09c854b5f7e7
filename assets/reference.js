// The API's reference: what an operation takes and answers is fetched when it is opened.
import { fetchPage } from "./fetch.js";

async function fill(operation) {
  const link = operation.querySelector("a[data-operation]");
  if (!link) return;
  const page = await fetchPage(link.href).catch(() => null);
  const details = page?.querySelector("[data-operation-details]");
  // Without an answer the link stays, which leads to the same.
  if (details) link.parentElement.replaceWith(document.adoptNode(details));
}

/** Opens the operation that the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details.operation")) named.open = true;
}

export function startReference() {
  if (!document.querySelector("details.operation")) return;
  for (const operation of document.querySelectorAll("details.operation")) {
    operation.addEventListener("toggle", () => operation.open && fill(operation));
  }
  window.addEventListener("hashchange", openNamed);
  openNamed();
}
