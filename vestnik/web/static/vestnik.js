// Pages work without this script; it only makes the copy buttons appear and work.
"use strict";

async function copy(input) {
  input.select();
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(input.value);
  } else {
    // Plain http on a foreign host: browsers give the clipboard to secure pages only.
    document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await copy(document.getElementById(button.dataset.copy));
    } catch {
      return; // The address is selected: Ctrl+C does the rest.
    }
    button.textContent = button.dataset.done;
    document.getElementById("copied").textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

// A link to a district leads into the table; open it so that there is something to see.
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const twin = target && target.closest("details");
  if (twin) { twin.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", openTarget);
openTarget();

// Click elsewhere or Escape closes the list of languages.
const languages = document.querySelector("details.languages");
addEventListener("click", (event) => { if (!languages.contains(event.target)) { languages.open = false; } });
addEventListener("keydown", (event) => { if (event.key === "Escape") { languages.open = false; } });
