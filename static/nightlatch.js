"use strict";
// Conveniences only: every page works without this file. What needs it is hidden until here.
{
  for (const button of document.querySelectorAll("button[data-reveal]")) {
    const field = document.getElementById(button.dataset.reveal);
    if (field === null) {
      continue;
    }
    const show = (visible) => {
      field.type = visible ? "text" : "password";
      button.textContent = visible ? button.dataset.hide : button.dataset.show;
      button.setAttribute("aria-label", visible ? button.dataset.hideLabel : button.dataset.showLabel);
    };
    button.addEventListener("click", () => show(field.type === "password"));
    // A shown password must not end up among the texts that the browser offers to fill in.
    field.form?.addEventListener("submit", () => show(false));
    button.hidden = false;
  }

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const status = document.getElementById(button.dataset.copy + "-status");
    if (source === null || !navigator.clipboard) {
      continue;
    }
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        status.textContent = button.dataset.done;
      } catch {
        // Not allowed: mark the code, so that the keyboard copies it.
        getSelection().selectAllChildren(source);
      }
    });
    button.hidden = false;
  }
}
