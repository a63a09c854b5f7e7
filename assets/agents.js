// Forms whose fields are sent as JSON: Helm's calls about users of Keycloak, and our own about agents.
import { fetchJson } from "./fetch.js";
import { toast } from "./toast.js";

/** The fields of a form as JSON: `name[]` is a list without its empty entries, true and false are what they say. */
function body(form) {
  const sent = {};
  for (const [name, value] of new FormData(form)) {
    if (name.endsWith("[]")) {
      const list = (sent[name.slice(0, -2)] ??= []);
      if (value !== "") list.push(value);
    } else {
      sent[name] = value === "true" || value === "false" ? value === "true" : value;
    }
  }
  return sent;
}

function send(url, method, what) {
  return fetchJson(url, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) });
}

export function startAgents() {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-json]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(form.dataset.json, form.dataset.method, body(form));
      // What Keycloak knows now is brought here before the page is shown again.
      if (form.dataset.sync) await send(form.dataset.sync, "POST", {});
      location.reload();
    } catch (error) {
      toast(error.message, "error");
      button.disabled = false;
    }
  });
}
