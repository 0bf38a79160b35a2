// Dialogs of a definition's page: confirm a deletion, look at both versions of an edit that was not seen.
import { ask, root, notify, words } from "./calls.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});

for (const opener of document.querySelectorAll("[data-dialog]")) opener.disabled = false;

// The browser's own confirm() does nothing inside Airflow's frame.
export function onDelete(seen, back) {
  const dialog = document.getElementById("delete");
  dialog?.querySelector("[data-confirm]").addEventListener("click", async () => {
    const path = document.querySelector("[data-delete]").dataset.delete;
    try {
      await ask("DELETE", `${root}/${path}`, { seen: seen() });
      window.location.assign(`${root}/${back}`);
    } catch (error) {
      dialog.close();
      refused(error);
    }
  });
}

export function conflict(answer, overwrite) {
  const dialog = document.getElementById("conflict");
  dialog.querySelector("[data-message]").textContent = answer.message;
  dialog.querySelector("[data-theirs]").textContent = answer.theirs;
  dialog.querySelector("[data-mine]").textContent = answer.mine;
  dialog.querySelector("[data-load]").onclick = () => window.location.reload();
  dialog.querySelector("[data-overwrite]").onclick = () => {
    dialog.close();
    overwrite(answer.etag);
  };
  dialog.showModal();
}

export function refused(error) {
  const box = document.getElementById("refused");
  if (!box) {
    notify(error.message, true);
    return;
  }
  box.replaceChildren();
  for (const text of [error.message, ...(error.answer?.problems || []), error.answer?.hint]) {
    if (!text) continue;
    const line = document.createElement("p");
    line.textContent = text;
    box.append(line);
  }
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
}

export const saved = () => notify(words("Saved."));
