// A file that is chosen is read here and stands in the text field: what is sent is what one sees.

function decoded(bytes) {
  const [first, second] = bytes;
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : null;
  return new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes);
}

export function startImport() {
  for (const input of document.querySelectorAll("[data-import-file]")) {
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      if (!file) return;
      input.setCustomValidity("");
      try {
        input.form.querySelector("textarea[name=text]").value = decoded(new Uint8Array(await file.arrayBuffer()));
      } catch {
        input.setCustomValidity('This file is neither UTF-8 nor UTF-16; save it as "CSV UTF-8".');
        input.reportValidity();
      }
    });
  }
}
