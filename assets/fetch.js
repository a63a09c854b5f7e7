// Asking the server from a script. A session may have ended, and then a sign-in page answers with 200.

/** A page of ours as a document, or null when the whole page had better be loaded again. */
export async function fetchPage(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
  const path = new URL(url, location.href).pathname;
  if (!response.ok || new URL(response.url).pathname !== path) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** A JSON answer; throws a sentence when there is none. */
export async function fetchJson(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!isJson) throw new Error(response.redirected ? "You have been signed out. Load the page again." : "The server gave no usable answer.");
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? "That did not work.");
  return body;
}
