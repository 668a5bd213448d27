// A button that copies, beside every program of the page; where there is no clipboard, none.

if (navigator.clipboard) {
  for (const program of document.querySelectorAll(".program")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(program.querySelector("pre code").textContent);
        said.textContent = "Copied";
      } catch {
        said.textContent = "The browser refused";
      }
    });
    program.querySelector("figcaption").append(button, said);
  }
}
